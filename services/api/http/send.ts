/** Replies on the wire. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2Stream } from "node:http2";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { isLong, type Slice, sliceBytes, wholeOf } from "./long-text.ts";
import { prettied, rendered } from "./render.ts";
import type { Out, Reply } from "./reply.ts";

/** Smaller ones are sent faster than they are made smaller; Kubernetes' own bound. */
const gzipMinBytes = 128 * 1024;
/** Kubernetes' too: most of the gain at a fraction of the time. */
const gzipLevel = 1;
const zipped = promisify(gzip);

/** Where a reply goes, and how long its client may take over any part of it. */
export type Wire = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Pick<Clock, "after">;
  readonly waitMs: number;
  readonly metrics: Pick<GatewayMetrics, "sent">;
};

export async function send(
  { request, response, clock, waitMs, metrics }: Wire,
  reply: Extract<Reply, { type: "body" | "value" }>,
  { pretty }: { readonly pretty: boolean },
): Promise<void> {
  const plain = reply.type === "value" ? rendered(reply, request.headers.accept) : reply;
  const { code, headers, contentType, body: given } = pretty ? prettied(plain) : plain;
  const body = typeof given === "string" ? Buffer.from(given) : given;
  const zip = body.byteLength > gzipMinBytes && takesGzip(request.headers["accept-encoding"]);
  const sent = zip ? await zipped(wholeOf(body), { level: gzipLevel }) : body;
  if (isGone(response)) return;
  response.writeHead(code, {
    "Cache-Control": "no-cache, private",
    ...headers,
    ...(zip && { "Content-Encoding": "gzip", Vary: "Accept, Accept-Encoding" }),
    // Of what is not modified a cache would take them for those of the reply that it holds.
    ...(code !== 304 && { "Content-Type": contentType, "Content-Length": sent.byteLength }),
  });
  metrics.sent(sent.byteLength);
  const limit = clock.after(replyWaits * waitMs, () => cut(response));
  response.once("close", () => limit[Symbol.dispose]());
  response.once("finish", () => limit[Symbol.dispose]());
  if (sent.byteLength <= sliceBytes) {
    response.end(wholeOf(sent));
    return;
  }
  for (const { bytes, free } of isLong(sent) ? sent.slices() : slicesOf(sent)) {
    if (isGone(response)) return;
    const done = (error: Error | null | undefined) =>
      (error === null || error === undefined) && free();
    if (!response.write(bytes, done)) await drained(response);
  }
  response.end();
}

/** Larger parts at once cost more: they are copied, and encrypted, before the first of them is sent. */
function* slicesOf(body: Uint8Array): Iterable<Slice> {
  for (let at = 0; at < body.byteLength; at += sliceBytes)
    yield { bytes: body.subarray(at, at + sliceBytes), free: () => undefined };
}

/** Resolves when the client takes more, or has gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

/** A reply that is as large as the state may take so many times as long as a part of a stream. */
const replyWaits = 5;

/** In HTTP/2 a response without a stream; to write on it throws. */
function isGone(response: ServerResponse): boolean {
  const { stream } = response as { stream?: { readonly destroyed: boolean } };
  return stream === undefined ? response.destroyed : stream.destroyed;
}

/** Ends a reply that its client does not take; in HTTP/2 no other on the connection is concerned. */
function cut(response: ServerResponse): void {
  const { stream } = response as { stream?: Http2Stream };
  if (stream === undefined) response.destroy();
  else stream.close(constants.NGHTTP2_CANCEL);
}

const takesGzip = (header: string | string[] | undefined): boolean =>
  String(header ?? "")
    .split(",")
    .some((coding) => coding.trim().split(";")[0] === "gzip");

export async function stream(
  { response, clock, waitMs, metrics }: Wire,
  reply: Extract<Reply, { type: "stream" }>,
  stop: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  if (isGone(response)) gone.abort();
  else {
    response.writeHead(200, {
      "Cache-Control": "no-cache, private",
      ...reply.headers,
      "Content-Type": reply.contentType,
    });
    response.flushHeaders();
  }
  const out: Out = {
    signal: AbortSignal.any([gone.signal, stop]),
    async write(chunk) {
      metrics.sent(chunk.length);
      if (gone.signal.aborted || response.write(chunk)) return;
      // A client that takes nothing for so long is given up, with all that waits for it.
      using _limit = clock.after(waitMs, () => cut(response));
      await drained(response);
    },
  };
  await reply.run(out);
  if (gone.signal.aborted) return;
  const limit = clock.after(waitMs, () => cut(response));
  response.once("close", () => limit[Symbol.dispose]());
  // A connection that is kept would keep the gateway from stopping.
  response.end(() => {
    limit[Symbol.dispose]();
    if (stop.aborted && !("stream" in response)) response.socket?.destroySoon();
  });
}
