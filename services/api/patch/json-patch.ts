import { applyPatch, type Operation } from "rfc6902";
import * as z from "zod";
import { ApiError } from "../../../libs/model/errors.ts";
import { bodyMaxBytes } from "../http/body.ts";

/** Kubernetes' bound; each `copy` may double a document, so its size is checked after each too. */
const operationsMax = 10_000;

const pointer = z.string().regex(/^(\/.*)?$/s);
const operations = z
  .array(
    z.discriminatedUnion("op", [
      z.object({ op: z.enum(["add", "replace", "test"]), path: pointer, value: z.unknown() }),
      z.object({ op: z.literal("remove"), path: pointer }),
      z.object({ op: z.enum(["move", "copy"]), path: pointer, from: pointer }),
    ]),
  )
  .max(operationsMax);

/**
 * RFC 6902 on a copy of `target`.
 *
 * @throws {ApiError} BadRequest for what is no patch, Invalid when it cannot be applied
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const parsed = operations.safeParse(patch);
  if (!parsed.success) throw new ApiError("BadRequest", "the body is not a valid JSON patch");
  let document = structuredClone(target);
  for (const operation of parsed.data) {
    const holder = { document };
    const moved = { ...operation, path: `/document${operation.path}` };
    const inside = "from" in moved ? { ...moved, from: `/document${moved.from}` } : moved;
    // The schema above made it one; `holder` lets an operation replace the whole document.
    const [failure] = applyPatch(holder, [structuredClone<Operation>(inside)]);
    if (failure !== null && failure !== undefined) {
      throw new ApiError(
        "Invalid",
        `the server rejected our request due to an error in our request: ${operation.op} operation does not apply: ${operation.path}`,
      );
    }
    document = holder.document;
    if (operation.op === "copy" && JSON.stringify(document).length > bodyMaxBytes) {
      throw new ApiError("RequestEntityTooLarge", `limit is ${bodyMaxBytes}`);
    }
  }
  return document;
}
