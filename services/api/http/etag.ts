/** Documents that change seldom: who has one is told that it still holds. */
import { createHash } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { mediaTypes } from "./accept.ts";
import type { Reply } from "./reply.ts";

export type Tagged = { readonly value: unknown; readonly etag: string };

/** A value with the tag of its content. */
export const tagged = (value: unknown): Tagged => ({
  value,
  etag: etagOf(JSON.stringify(value)),
});

export const etagOf = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 32).toUpperCase();

export function taggedReply(
  { value, etag }: Tagged,
  request: IncomingMessage,
  parameters = "",
): Reply {
  const headers = headersOf(etag);
  if (holds(request, etag)) return unchanged(headers);
  return { type: "value", code: 200, value, language: "json", parameters, headers };
}

/** What says of a reply which content it is. It differs by what the client accepts. */
export const headersOf = (etag: string): OutgoingHttpHeaders => ({
  ETag: `"${etag}"`,
  Vary: "Accept",
});

/** Whether the client has the content already. */
export const holds = ({ headers }: IncomingMessage, etag: string): boolean =>
  (headers["if-none-match"] ?? "")
    .split(",")
    .some((one) => one.trim().replace(/^W\//, "") === `"${etag}"`);

export const unchanged = (headers: OutgoingHttpHeaders): Reply => ({
  type: "body",
  code: 304,
  contentType: mediaTypes.json,
  body: "",
  headers,
});
