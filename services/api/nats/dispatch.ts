/** Requests that come over NATS, answered by the routes that answer those over HTTPS. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { overNats, type UserInfo } from "../auth/user.ts";
import { wholeOf } from "../http/long-text.ts";
import { rendered } from "../http/render.ts";
import type { Out, Reply } from "../http/reply.ts";
import { statusReply } from "../http/server.ts";

/** Answers a request whichever way it came. Never throws: what goes wrong is a Status. */
export type Dispatch = (asked: {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  readonly user: UserInfo;
}) => Promise<Told>;

/** A reply that a message can carry. */
export type Told = Extract<Reply, { readonly type: "body" | "stream" }>;

/** @param answer gives the reply of a request as it comes over HTTPS */
export function dispatchTo(
  answer: (request: IncomingMessage, user: UserInfo) => Promise<Reply>,
  log: Log,
): Dispatch {
  const told = (reply: Reply, accept: string | undefined): Told => {
    if (reply.type === "value") return rendered(reply, accept);
    return reply.type === "raw" ? told(statusReply(httpsAlone(), log), accept) : reply;
  };
  return async ({ method, url, headers, body, user }) => {
    // All that handlers look at of a request, and its body as they read it.
    const request = Object.assign(Readable.from(body, { objectMode: false }), {
      method,
      url,
      headers,
    }) as unknown as IncomingMessage;
    return told(await answer(request, user), headers["accept"]);
  };
}

const httpsAlone = () => new ApiError("NotAcceptable", "this is answered over HTTPS alone");

export type Asked = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Of the body; JSON when absent. */
  readonly type?: string;
  readonly body?: unknown;
};
export type Answer =
  | { readonly ok: true; readonly object: unknown }
  | { readonly ok: false; readonly status: unknown };

/** More than a NATS message carries. */
const answerMaxChars = 7 * 1024 * 1024;

/** One request and its whole reply, as JSON. */
export async function ask(dispatch: Dispatch, asked: Asked): Promise<Answer> {
  const reply = await dispatchAsked(dispatch, asked);
  const { code, text } = await whole(reply);
  if (text.length > answerMaxChars) return { ok: false, status: tooLarge };
  const value: unknown = text === "" ? undefined : JSON.parse(text);
  return code < 400 ? { ok: true, object: value } : { ok: false, status: value };
}

export function dispatchAsked(dispatch: Dispatch, asked: Asked): Promise<Told> {
  const given = Object.entries(asked.query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  const query = given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
  const type = asked.type ?? "application/json";
  return dispatch({
    method: asked.method,
    url: `${asked.path}${query}`,
    headers: {
      accept: "application/json",
      ...(asked.body !== undefined && { "content-type": type }),
    },
    body: bodyOf(asked.body),
    user: overNats,
  });
}

async function* bodyOf(body: unknown): AsyncIterable<Uint8Array> {
  if (body !== undefined) yield new TextEncoder().encode(JSON.stringify(body));
}

async function whole(reply: Told): Promise<{ readonly code: number; readonly text: string }> {
  const decoder = new TextDecoder();
  const decode = (chunk: string | Uint8Array) =>
    typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  if (reply.type === "body") return { code: reply.code, text: decode(wholeOf(reply.body)) };
  const chunks: string[] = [];
  const out: Out = {
    signal: new AbortController().signal,
    write: async (chunk) => void chunks.push(decode(chunk)),
  };
  await reply.run(out);
  return { code: 200, text: chunks.join("") };
}

const tooLarge = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  reason: "RequestEntityTooLarge",
  message: "the answer is larger than a message; ask for less, such as with a limit",
  code: 413,
} as const;
