/** Who may come in now: what a request must keep to before anyone looks at what it wants. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import { type Asked, askedOf } from "./asked.ts";
import { type GatewayMetrics, gatewayMetrics } from "./gateway-metrics.ts";
import type { Limits } from "./limits.ts";
import { places } from "./places.ts";
import type { Reply } from "./reply.ts";
import { turns } from "./turns.ts";

export type Traffic = Disposable & {
  readonly metrics: GatewayMetrics;
  /**
   * Its reply, once it is its turn; a reply without an end takes a place instead.
   *
   * @throws {ApiError} TooManyRequests, BadRequest, RequestEntityTooLarge, UnsupportedMediaType
   */
  pass(visit: Visit, reply: () => Promise<Reply>): Promise<Reply>;
  /** To be called when the reply's code is known. */
  replied(visit: Visit, code: number): void;
  asked(visit: Visit): Asked;
};

export type Visit = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** Whether anything is served there: of what is not nothing is counted by its name. */
  readonly served: boolean;
  readonly isWatch: boolean;
  /** Whether it is let in however full it is: health. */
  readonly always: boolean;
  readonly beganAtMs: number;
};

export function traffic(limits: Limits, clock: Clock): Traffic {
  const { readsMax, writesMax, waitingMax, turnWaitMs: waitMs } = limits;
  const reads = turns({ runningMax: readsMax, waitingMax, waitMs }, clock);
  const writes = turns({ runningMax: writesMax, waitingMax, waitMs }, clock);
  const streams = places({ max: limits.streamsMax, perClientMax: limits.streamsPerClientMax });
  const metrics = gatewayMetrics({
    inFlight: () => ({ readOnly: reads.running(), mutating: writes.running() }),
    streams: streams.taken,
  });
  const asked = ({ request: { method = "" }, path, served, isWatch }: Visit) =>
    askedOf(method, served ? path : "", isWatch);

  return {
    metrics,
    asked,
    replied(visit, code) {
      const tookMs = clock.monotonicMs() - visit.beganAtMs;
      metrics.replied(asked({ ...visit, served: visit.served && code !== 404 }), { code, tookMs });
    },
    async pass({ request, response, always }, reply) {
      requireWithin(request, limits);
      endSlowBody(request, response, clock, limits);
      if (always) return reply();
      const kind = request.method === "GET" || request.method === "HEAD" ? "read" : "write";
      const turn = await (kind === "read" ? reads : writes).take();
      if (turn === undefined) throw tooMany(kind);
      response.once("close", () => turn[Symbol.dispose]());
      const made = await reply();
      if (made.type !== "stream") return made;
      turn[Symbol.dispose]();
      const place = streams.take(clientOf(request));
      if (place === undefined) {
        // What it holds open already it lets go when it finds that its client has gone.
        await made.run({ signal: AbortSignal.abort(), write: async () => undefined });
        throw tooMany("stream");
      }
      response.once("close", () => place[Symbol.dispose]());
      return made;
    },
    [Symbol.dispose]: () => metrics[Symbol.dispose](),
  };

  function tooMany(what: "read" | "write" | "stream"): ApiError {
    metrics.refused(what);
    const message = "Too many requests, please try again later.";
    return new ApiError("TooManyRequests", message, { retryAfterSeconds: 1 });
  }
}

/** In HTTP/1.1 Node sees to it: a body that does not come in time is given up. */
function endSlowBody(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  { bodyWaitMs }: Limits,
): void {
  const { stream } = request as { stream?: ServerHttp2Stream };
  if (stream === undefined || stream.endAfterHeaders) return;
  const timer = clock.after(bodyWaitMs, () => {
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
  });
  response.once("close", () => timer[Symbol.dispose]());
}

/** Clients behind one address are told apart by what they prove themselves with. */
function clientOf({ socket, headers }: IncomingMessage): string {
  const proof = createHash("sha256")
    .update(headers.authorization ?? "")
    .digest("base64");
  return `${socket.remoteAddress ?? ""} ${proof}`;
}

/** @throws {ApiError} BadRequest, UnsupportedMediaType */
function requireWithin(
  { url = "", rawHeaders, headers }: IncomingMessage,
  { urlMaxChars, headersMax }: Limits,
): void {
  if (url.length > urlMaxChars) {
    throw new ApiError("BadRequest", `the request's URL is too long: limit is ${urlMaxChars}`);
  }
  if (rawHeaders.length / 2 > headersMax) {
    throw new ApiError("BadRequest", `the request has too many headers: limit is ${headersMax}`);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    throw new ApiError(
      "UnsupportedMediaType",
      `the body of the request is encoded as ${encoding.slice(0, 20)} - accepted content encodings include: identity`,
    );
  }
}
