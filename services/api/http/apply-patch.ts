/** What a PATCH says of server-side apply: in its media type, its body and its query. */
import type { IncomingMessage } from "node:http";
import { invalid } from "../../../libs/model/errors.ts";
import type { ApplyOptions } from "../resources/apply.ts";
import { media } from "./accept.ts";
import { readBody } from "./body.ts";
import { flagOf, textOf as parameterOf, writeOptionsOf } from "./query.ts";
import type { Exchange } from "./server.ts";
import { parseText, textOf } from "./text.ts";

export const applyType = "application/apply-patch+yaml";

export const isApply = ({ headers }: IncomingMessage): boolean =>
  media(headers["content-type"] ?? "").type === applyType;

/** @throws {ApiError} BadRequest, RequestEntityTooLarge */
export async function decodeConfig(request: IncomingMessage): Promise<unknown> {
  return parseText(textOf(await readBody(request)), "yaml");
}

/** @throws {ApiError} Invalid without a manager's name, BadRequest */
export function applyOptionsOf(exchange: Exchange, part: ApplyOptions["part"]): ApplyOptions {
  const { query } = exchange;
  if (parameterOf(query, "fieldManager") === undefined) {
    throw invalid(patchOptions, undefined, [
      {
        reason: "FieldValueRequired",
        field: "fieldManager",
        message: "Required value: is required for apply patch",
      },
    ]);
  }
  return { ...writeOptionsOf(exchange), force: flagOf(query, "force"), part };
}

/** @throws {ApiError} Invalid: only an apply can be forced */
export function requireUnforced(query: URLSearchParams): void {
  if (!query.has("force")) return;
  throw invalid(patchOptions, undefined, [
    {
      reason: "FieldValueForbidden",
      field: "force",
      message: "Forbidden: may not be specified for non-apply patch",
    },
  ]);
}

const patchOptions = { group: "meta.k8s.io", kind: "PatchOptions" };
