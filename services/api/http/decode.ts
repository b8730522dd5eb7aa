/** Request bodies as values, whatever language they are in. */
import type { IncomingMessage } from "node:http";
import { dequal } from "dequal";
import type * as z from "zod";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { withoutNulls } from "../../../libs/model/nulls.ts";
import { jsonPatch } from "../../../libs/model/json-patch.ts";
import { fieldOf } from "../patch/list-schema.ts";
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
import { duplicatesOf, withDuplicates } from "./duplicate-fields.ts";
import { languageOf, readBody } from "./body.ts";
import { flagOf, integerOf } from "./query.ts";
import { parseText, textOf } from "./text.ts";

/** What reads a kind's protobuf and merges it strategically; undefined: there is neither. */
export const schemaOf = ({ schema, custom }: Kind): z.core.$ZodType | undefined =>
  custom === undefined ? schema : undefined;

/**
 * The object in a body; in protobuf it is read by `schema`.
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function decodeBody(
  request: IncomingMessage,
  schema: z.core.$ZodType | undefined,
): Promise<unknown> {
  const language = languageOf(request.headers["content-type"]);
  if (language === "protobuf" && schema === undefined)
    throw unsupported(["application/json", "application/yaml"]);
  const body = await readBody(request);
  if (language !== "protobuf") return parseText(textOf(body), language);
  const { apiVersion, kind, raw } = openEnvelope(body);
  return { ...decodeMessage(required(schema), raw), apiVersion, kind };
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

const strategic = "application/strategic-merge-patch+json";

const unsupported = (types: readonly string[]) =>
  new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${types.join(", ")}`,
  );

/**
 * What a PATCH makes of an object; server-side apply is another way (`apply-patch.ts`).
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function decodePatch(
  request: IncomingMessage,
  schema: z.core.$ZodType | undefined,
): Promise<Change> {
  const { type } = media(request.headers["content-type"] ?? "");
  const known = patchTypes.find((one) => one === type);
  const taken = patchTypes.filter((one) => schema !== undefined || one !== strategic);
  if (known === undefined || !taken.includes(known)) throw unsupported([...taken, applyType]);
  const patch = parseText(textOf(await readBody(request)), "json");
  const duplicates = duplicatesOf(patch);
  switch (known) {
    case "application/json-patch+json":
      return (before) => patchedWithStatus(before, patch, schema);
    case "application/merge-patch+json":
      return (before) => withDuplicates(mergePatch(before, patch), duplicates);
    case "application/strategic-merge-patch+json":
      return (before) =>
        withDuplicates(strategicMergePatch(before, patch, required(schema)), duplicates);
    default:
      return known satisfies never;
  }
}

/** In Kubernetes' JSON every object of a kind that has a status has one, were it empty. */
function patchedWithStatus(
  before: AnyObject,
  patch: unknown,
  schema: z.core.$ZodType | undefined,
): unknown {
  if (before.status !== undefined || fieldOf(schema, "status") === undefined) {
    return jsonPatch(before, patch);
  }
  const after = jsonPatch({ ...before, status: {} }, patch);
  if (!isRecord(after) || !dequal(after["status"], {})) return after;
  const { status: _, ...rest } = after;
  return rest;
}

/** It was looked at when the type was. */
function required(schema: z.core.$ZodType | undefined): z.core.$ZodType {
  if (schema === undefined) throw unsupported([]);
  return schema;
}

/**
 * The options of a DELETE: its body's, or its query's where it has no body, as in Kubernetes. But a dry
 * run is one wherever it is asked for.
 *
 * @throws {ApiError} UnsupportedMediaType, RequestEntityTooLarge, BadRequest, Invalid
 */
export async function decodeDeleteOptions(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<DeleteOptions> {
  const dryRun = query.getAll("dryRun").filter((one) => one !== "");
  const body = await optionsIn(request);
  if (body !== undefined) {
    const sent: object = withoutNulls(body) as object; // `optionsIn` gives an object.
    return parseAsked(deleteOptionsKind, { ...sent, ...(dryRun.length > 0 && { dryRun }) });
  }
  const gracePeriodSeconds = integerOf(query, "gracePeriodSeconds");
  return parseAsked(deleteOptionsKind, {
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(query.has("propagationPolicy") && { propagationPolicy: query.get("propagationPolicy") }),
    ...(query.has("orphanDependents") && { orphanDependents: flagOf(query, "orphanDependents") }),
    ...(dryRun.length > 0 && { dryRun }),
  });
}

async function optionsIn(request: IncomingMessage): Promise<object | undefined> {
  const language = languageOf(request.headers["content-type"]);
  const body = await readBody(request);
  if (body.byteLength === 0) return undefined;
  if (language === "protobuf") return decodeMessage(deleteOptions.in, openEnvelope(body).raw);
  const value = parseText(textOf(body), language);
  if (isRecord(value)) return value;
  throw new ApiError("BadRequest", "the body is not valid DeleteOptions");
}
