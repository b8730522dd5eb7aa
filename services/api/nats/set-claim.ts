/**
 * Which manifest decides what is in a set. Its claim is a record in the state, and every write for the
 * set expects that record as it was claimed: once a newer manifest has claimed the set nothing of an
 * older one is written any more, whichever gateway has it in hand, and however late.
 */
import * as z from "zod";
import { setKey, setPrefix } from "../../../libs/cluster/key.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Entry } from "../../../libs/store/store.ts";
import type { Backend } from "../resources/backend.ts";
import type { Fence } from "../resources/write.ts";

const setRecord = z.object({
  /** When the stream of the manifests was made that `sequence` is of; empty: no message has come yet. */
  stream: z.string(),
  /** The newest message that has claimed the set. */
  sequence: z.int(),
  /** Whether that message or a request after it has it. */
  by: z.enum(["message", "request"]),
});
export type SetRecord = z.output<typeof setRecord>;

/** Who claims: a message, by its place in the stream; or a request, which is newer than all. */
export type Claimant =
  | { readonly by: "message"; readonly stream: string; readonly sequence: number }
  | { readonly by: "request" };

/** What becomes of a set's record when it is claimed. `held`: it stays, the claimant has the set already. */
export function claimed(
  record: SetRecord | undefined,
  claimant: Claimant,
): SetRecord | "held" | "superseded" {
  const { stream, sequence, by } = record ?? { stream: "", sequence: 0, by: "message" };
  if (claimant.by === "request") return { stream, sequence, by: "request" };
  if (claimant.stream === stream && claimant.sequence === sequence) {
    return by === "message" ? "held" : "superseded";
  }
  const isNewer =
    claimant.stream === stream ? claimant.sequence > sequence : claimant.stream > stream;
  return isNewer ? { ...claimant } : "superseded";
}

const attemptsMax = 20;
/** Of one publisher. */
const setsMax = 1_000;

/**
 * Claims a set. The view then shows all that was written for the set before.
 *
 * @returns undefined when a newer manifest has it
 * @throws {ApiError} Forbidden: the publisher has too many sets
 */
export async function claimSet(
  { store, view, consistent }: Pick<Backend, "store" | "view" | "consistent">,
  { publisher, set }: { readonly publisher: string; readonly set: string },
  claimant: Claimant,
): Promise<Fence | undefined> {
  const key = setKey(publisher, set);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const entry = await store.get(key);
    const next = claimed(recordIn(entry), claimant);
    if (next === "superseded") return undefined;
    if (next === "held") {
      await consistent();
      return { key, revision: entry?.revision ?? 0 };
    }
    if (entry === undefined) {
      // Of those that it has had made, none may be missing.
      await consistent();
      if ([...view.raw.scan(setPrefix(publisher))].length >= setsMax) {
        throw new ApiError("Forbidden", `${publisher} has ${setsMax} sets already`);
      }
    }
    const value = new TextEncoder().encode(JSON.stringify(next));
    const outcome = await store.commit([
      { op: "put", key, expect: entry?.revision ?? "absent", value },
    ]);
    if (!outcome.ok) continue;
    await consistent();
    return { key, revision: outcome.revision };
  }
  throw new ApiError("Conflict", "too many others claim the set; please try again");
}

const recordIn = (entry: Entry | undefined): SetRecord | undefined =>
  entry && setRecord.parse(JSON.parse(new TextDecoder().decode(entry.value)));
