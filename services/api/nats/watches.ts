/**
 * Watches over plain NATS: their events are messages on a subject that the asker listens on, numbered
 * from 1, so that who misses one sees that. Every two seconds the gateway makes sure that somebody
 * listens; who hears nothing for longer asks again, from the last resourceVersion that came.
 */
import { type Bus, NoResponders } from "../../../libs/bus/bus.ts";
import { linesOf } from "../../../libs/client/lines.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { wholeOf } from "../http/long-text.ts";
import type { Out } from "../http/reply.ts";
import { type Asked, dispatchAsked, type Dispatch } from "./dispatch.ts";

export type DeliveredWatch = AsyncDisposable & {
  /** @throws {ApiError} TooManyRequests; @returns what the asker is answered */
  begin(
    asked: Pick<Asked, "path" | "query"> & { readonly deliver: string },
  ): Promise<Record<string, unknown>>;
};

/** In one gateway, over NATS. */
const watchesMax = 1_000;
const aliveEveryMs = 2_000;
/** Nobody answers; that nobody listens is told at once. */
const aliveWaitMs = 200;
/** Events between two looks at whether anybody listens. */
const eventsAtOnce = 1_000;

export function deliverWatches(ports: {
  readonly bus: Bus;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly log: Log;
}): DeliveredWatch {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    async begin({ path, query, deliver }) {
      if (running.size >= watchesMax) {
        throw new ApiError("TooManyRequests", "too many watches, please try again later", {
          retryAfterSeconds: 1,
        });
      }
      const asked = { path, query: { ...query, watch: true, allowWatchBookmarks: true } };
      const reply = await dispatchAsked(ports.dispatch, { method: "GET", ...asked });
      if (reply.type === "body") return { ok: false, status: statusIn(wholeOf(reply.body)) };
      const sending: Promise<void> = send(reply.run, {
        ...ports,
        deliver,
        signal: stop.signal,
      }).then(
        () => void running.delete(sending),
        (error: unknown) => {
          running.delete(sending);
          ports.log.error({ err: error, deliver }, "a watch over NATS failed");
        },
      );
      running.add(sending);
      return { ok: true, deliver };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

type Sending = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: string;
  readonly signal: AbortSignal;
};

/** Never throws: what goes wrong is logged, and ends the watch. */
async function send(
  run: (out: Out) => Promise<void>,
  { bus, clock, log, deliver, signal }: Sending,
): Promise<void> {
  const gone = new AbortController();
  const over = AbortSignal.any([signal, gone.signal]);
  let number = 0;
  const publish = (event: string) => {
    number += 1;
    bus.publish(deliver, encoder.encode(`{"number":${number},"event":${event}}`));
  };
  const listens = async () => {
    try {
      await bus.request(deliver, alive, { timeoutMs: aliveWaitMs });
    } catch (error) {
      if (error instanceof NoResponders) gone.abort();
    }
  };
  const chunks = new TransformStream<Uint8Array, Uint8Array>();
  const writer = chunks.writable.getWriter();
  const out: Out = {
    signal: over,
    write: (chunk) => writer.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk),
  };
  const looking = repeated(clock, over, listens);
  const sending = (async () => {
    for await (const line of linesOf(chunks.readable)) {
      if (over.aborted) continue;
      publish(line);
      if (number % eventsAtOnce === 0) await listens();
    }
  })();
  try {
    await run(out);
  } catch (error) {
    log.warn({ err: error, deliver }, "a watch over NATS broke off");
  } finally {
    await writer.close();
    await sending;
    if (!gone.signal.aborted) publish('{"type":"END"}');
    gone.abort();
    await looking;
  }
}

async function repeated(
  clock: Clock,
  signal: AbortSignal,
  run: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(aliveEveryMs, signal);
    if (!signal.aborted) await run();
  }
}

const encoder = new TextEncoder();
/** What is heard while nothing happens. */
const alive = encoder.encode('{"number":0,"event":{"type":"ALIVE"}}');

const statusIn = (body: string | Uint8Array): unknown =>
  JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
