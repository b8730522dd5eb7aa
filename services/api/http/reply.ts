import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { stringify } from "yaml";
import type { Format } from "./accept.ts";

/** What a handler answers: a body at once, or one that goes on until `run` ends. */
export type Reply =
  | {
      readonly type: "body";
      readonly code: number;
      readonly contentType: string;
      readonly body: string | Uint8Array;
      readonly headers?: OutgoingHttpHeaders;
    }
  | {
      readonly type: "stream";
      readonly contentType: string;
      readonly headers?: OutgoingHttpHeaders;
      readonly run: (out: Out) => Promise<void>;
    }
  /** Another server's answer, passed on as it is. */
  | { readonly type: "raw"; readonly send: (response: ServerResponse) => Promise<void> };

/** A reply that is being sent. */
export type Out = {
  /** Resolves when the client can take more; at once when it has gone. */
  readonly write: (chunk: string | Uint8Array) => Promise<void>;
  /** Aborts when the client has gone or the gateway stops. */
  readonly signal: AbortSignal;
};

/** What is answered to an action that has no object of its own. */
export const created = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  code: 201,
} as const;

/** A value as JSON, or as YAML for who asked for that. Go clients read the media type literally. */
export function valueReply(
  value: unknown,
  format: Pick<Format, "language">,
  {
    code = 200,
    headers = {},
  }: { readonly code?: number; readonly headers?: OutgoingHttpHeaders } = {},
): Extract<Reply, { readonly type: "body" }> {
  if (format.language === "json") return jsonReply(JSON.stringify(value), { code, headers });
  return { type: "body", code, contentType: "application/yaml", body: yamlOf(value), headers };
}

/** An object, a list or a Table that is JSON already, in the language that was agreed. */
export function shownReply(
  json: string,
  { language }: Pick<Format, "language">,
  options: { readonly code?: number; readonly headers?: OutgoingHttpHeaders } = {},
): Reply {
  if (language === "yaml") return valueReply(JSON.parse(json), { language }, options);
  return jsonReply(json, options);
}

/** JSON that is already text. */
export function jsonReply(
  body: string,
  {
    code = 200,
    headers = {},
  }: { readonly code?: number; readonly headers?: OutgoingHttpHeaders } = {},
): Extract<Reply, { readonly type: "body" }> {
  return { type: "body", code, contentType: "application/json", body, headers };
}

export const textReply = (body: string, code = 200): Reply => ({
  type: "body",
  code,
  contentType: "text/plain; charset=utf-8",
  body,
});

/** Members that are undefined are left out, as in JSON. */
const yamlOf = (value: unknown): string =>
  stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
