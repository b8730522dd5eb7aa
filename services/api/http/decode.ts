/** Request bodies as values, whatever language they are in. */
import type { IncomingMessage } from "node:http";
import type * as z from "zod";
import { ApiError } from "../../../libs/model/errors.ts";
import { withoutNulls } from "../../../libs/model/nulls.ts";
import { jsonPatch } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import { strategicMergePatch } from "../patch/strategic-merge-patch.ts";
import { decodeMessage } from "../protobuf/decode.ts";
import { openEnvelope } from "../protobuf/envelope.ts";
import type { Change } from "../resources/change.ts";
import { deleteOptions, type DeleteOptions } from "../resources/delete.ts";
import { media } from "./accept.ts";
import { languageOf, parseText, readBody } from "./body.ts";

/**
 * The object in a body; in protobuf it is read by `schema`.
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function decodeBody(
  request: IncomingMessage,
  schema: z.core.$ZodType,
): Promise<unknown> {
  const language = languageOf(request.headers["content-type"]);
  const body = await readBody(request);
  if (language !== "protobuf") return parseText(body.toString("utf8"), language);
  const { apiVersion, kind, raw } = openEnvelope(body);
  return { ...decodeMessage(schema, raw), apiVersion, kind };
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

/**
 * What a PATCH makes of an object. Server-side apply is refused: clients fall back, or say so.
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function decodePatch(
  request: IncomingMessage,
  schema: z.core.$ZodType,
): Promise<Change> {
  const { type } = media(request.headers["content-type"] ?? "");
  const known = patchTypes.find((one) => one === type);
  if (known === undefined) {
    throw new ApiError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${patchTypes.join(", ")}`,
    );
  }
  const patch = parseText((await readBody(request)).toString("utf8"), "json");
  switch (known) {
    case "application/json-patch+json":
      return (before) => jsonPatch(before, patch);
    case "application/merge-patch+json":
      return (before) => mergePatch(before, patch);
    case "application/strategic-merge-patch+json":
      return (before) => strategicMergePatch(before, patch, schema);
    default:
      return known satisfies never;
  }
}

/**
 * The options of a DELETE: its body, overruled by its query.
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function decodeDeleteOptions(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<DeleteOptions> {
  const body = await optionsIn(request);
  const grace = query.get("gracePeriodSeconds");
  const parsed = deleteOptions.safeParse({
    ...(withoutNulls(body) as object), // `optionsIn` gives an object.
    ...(grace !== null && grace !== "" && { gracePeriodSeconds: Number(grace) }),
    ...(query.has("propagationPolicy") && { propagationPolicy: query.get("propagationPolicy") }),
    ...(query.get("orphanDependents") === "true" && { orphanDependents: true }),
    ...(query.get("dryRun") === "All" && { dryRun: ["All"] }),
  });
  if (parsed.success) return parsed.data;
  throw new ApiError("BadRequest", "the body is not valid DeleteOptions");
}

async function optionsIn(request: IncomingMessage): Promise<object> {
  const language = languageOf(request.headers["content-type"]);
  const body = await readBody(request);
  if (body.byteLength === 0) return {};
  if (language === "protobuf") return decodeMessage(deleteOptions.in, openEnvelope(body).raw);
  const value = parseText(body.toString("utf8"), language);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ApiError("BadRequest", "the body is not valid DeleteOptions");
}
