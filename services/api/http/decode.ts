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
import { isRecord } from "../patch/record.ts";
import { deleteOptions, type DeleteOptions, deleteOptionsKind } from "../resources/delete.ts";
import { parseAsked } from "../resources/field-validation.ts";
import { media } from "./accept.ts";
import { applyType } from "./apply-patch.ts";
import { languageOf, readBody } from "./body.ts";
import { countOf, dryRunOf, flagOf } from "./query.ts";
import { parseText, textOf } from "./text.ts";

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
  if (language !== "protobuf") return parseText(textOf(body), language);
  const { apiVersion, kind, raw } = openEnvelope(body);
  return { ...decodeMessage(schema, raw), apiVersion, kind };
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

/**
 * What a PATCH makes of an object; server-side apply is another way (`apply-patch.ts`).
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
      `the body of the request was in an unknown format - accepted media types include: ${[...patchTypes, applyType].join(", ")}`,
    );
  }
  const patch = parseText(textOf(await readBody(request)), "json");
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
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest, Invalid
 */
export async function decodeDeleteOptions(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<DeleteOptions> {
  const body = await optionsIn(request);
  const gracePeriodSeconds = countOf(query, "gracePeriodSeconds");
  return parseAsked(deleteOptionsKind, {
    ...(withoutNulls(body) as object), // `optionsIn` gives an object.
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(query.has("propagationPolicy") && { propagationPolicy: query.get("propagationPolicy") }),
    ...(flagOf(query, "orphanDependents") && { orphanDependents: true }),
    ...(dryRunOf(query) && { dryRun: ["All"] }),
  });
}

async function optionsIn(request: IncomingMessage): Promise<object> {
  const language = languageOf(request.headers["content-type"]);
  const body = await readBody(request);
  if (body.byteLength === 0) return {};
  if (language === "protobuf") return decodeMessage(deleteOptions.in, openEnvelope(body).raw);
  const value = parseText(textOf(body), language);
  if (isRecord(value)) return value;
  throw new ApiError("BadRequest", "the body is not valid DeleteOptions");
}
