/**
 * The whole Kubernetes API over NATS: each request is a stream of `berth.api.rest`, answered by the
 * same routes as over HTTPS, so with the same admission and the same refusals.
 */
import type { OutgoingHttpHeaders } from "node:http";
import type { Bus, ByteStream, Served } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { readMessage } from "../../../libs/protocol/read-message.ts";
import { type RestHead, type RestOpening, restOpening } from "../../../libs/protocol/rest.ts";
import { apiStreams } from "../../../libs/protocol/subjects.ts";
import { overNats } from "../auth/user.ts";
import { wholeOf } from "../http/long-text.ts";
import type { Out } from "../http/reply.ts";
import type { Dispatch, Told } from "./dispatch.ts";

const refusal = new ApiError("BadRequest", "the request is not understood");
const notUnderstood: Told = {
  type: "body",
  code: refusal.code,
  contentType: "application/json",
  body: JSON.stringify(refusal.toStatus()),
};
const chunkBytes = 64 * 1_024;
/** Requests at work at once, watches among them, in one gateway. */
const concurrency = 1_000;
const queue = "api";

/** Serves requests until disposed; gateways share them. */
export const serveRest = (bus: Bus, dispatch: Dispatch, signal: AbortSignal): Promise<Served> =>
  bus.accept(
    apiStreams,
    async (stream, { data }) => {
      const asked = readMessage(restOpening, data);
      const reply =
        asked === undefined
          ? notUnderstood
          : await dispatch({ ...askedOf(asked), body: stream.readable, user: overNats });
      await send(stream, reply, signal);
      await stream.end();
    },
    { queue, concurrency },
  );

const askedOf = ({ method, path, headers }: RestOpening) => ({ method, url: path, headers });

async function send(stream: ByteStream, reply: Told, signal: AbortSignal): Promise<void> {
  const head: RestHead = {
    code: reply.type === "body" ? reply.code : 200,
    headers: { ...textsOf(reply.headers ?? {}), "content-type": reply.contentType },
  };
  const encoder = new TextEncoder();
  await stream.write(encoder.encode(JSON.stringify(head)));
  const write = async (chunk: string | Uint8Array) => {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
      await stream.write(bytes.subarray(at, at + chunkBytes));
    }
  };
  if (reply.type === "body") {
    await write(wholeOf(reply.body));
    return;
  }
  const over = AbortSignal.any([stream.closed, signal]);
  const out: Out = {
    signal: over,
    // Who has gone is seen by the signal; nothing is written any more.
    write: (chunk) => write(chunk).catch(() => undefined),
  };
  await reply.run(out);
}

function textsOf(headers: OutgoingHttpHeaders): Record<string, string> {
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name.toLowerCase(), [value].flat().join(", ")] satisfies [string, string]],
  );
  return Object.fromEntries(given);
}
