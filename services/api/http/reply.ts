import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type Format, mediaTypes } from "./accept.ts";
import type { LongText } from "./long-text.ts";
import { yamlOf } from "./render.ts";

/** What a handler answers: a body at once, or one that goes on until `run` ends. */
export type Reply =
  | {
      /** Sent in the language that the client asks for; a Status, a review. */
      readonly type: "value";
      readonly code: number;
      readonly value: unknown;
      /** Where the client names none that can be. */
      readonly language: Format["language"];
      /** What is agreed beside the language, such as `;as=…`. */
      readonly parameters?: string;
      readonly headers?: OutgoingHttpHeaders;
    }
  | {
      readonly type: "body";
      readonly code: number;
      readonly contentType: string;
      readonly body: string | Uint8Array | LongText;
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
  /** Counts events of a watch that were written. */
  readonly told?: (events: number) => void;
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

/**
 * A value in the language that the client asks for.
 *
 * @param format its language is taken where the client names none that can be
 */
export function valueReply(
  value: unknown,
  { language }: Pick<Format, "language">,
  {
    code = 200,
    headers = {},
  }: { readonly code?: number; readonly headers?: OutgoingHttpHeaders } = {},
): Extract<Reply, { readonly type: "value" }> {
  return { type: "value", code, value, language, headers };
}

/** An object, a list or a Table: in protobuf, or as JSON, which becomes YAML for who asked for that. */
export function shownReply(
  shown: string | Uint8Array | LongText,
  { language }: Pick<Format, "language">,
  {
    code = 200,
    headers = {},
  }: { readonly code?: number; readonly headers?: OutgoingHttpHeaders } = {},
): Reply {
  const body = language === "yaml" ? yamlOf(JSON.parse(String(shown))) : shown;
  return { type: "body", code, contentType: mediaTypes[language], body, headers };
}

export const textReply = (body: string, code = 200, contentType = "text/plain"): Reply => ({
  type: "body",
  code,
  contentType,
  body,
});
