/** A bus on any wire: requests, served subjects with bounded work, streams. */
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import {
  type Bus,
  type ByteStream,
  type Message,
  NoResponders,
  RemoteFailure,
  RequestTimeout,
  type Served,
  type ServeOptions,
} from "./bus.ts";
import { streams } from "./streams.ts";
import type { Packet, Wire } from "./wire.ts";
import { workers } from "./workers.ts";

export type BusPorts = { readonly clock: Clock; readonly log: Log };

const requestTimeoutMs = 5_000;
const concurrencyDefault = 64;
const servedWaitingMax = 1_000;
/** A subscriber hears one at a time; hints may be lost, so beyond this the oldest is. */
const heardWaitingMax = 16_384;
const failedHeader = "Berth-Failed";

export function busOn(wire: Wire, { clock, log }: BusPorts): Bus {
  const pending = new Map<string, PromiseWithResolvers<Uint8Array>>();
  const served = new Set<Served>();
  let serial = 0;
  let closing = false;
  const newToken = () => (serial += 1).toString(36);
  const lines = streams(wire, clock, newToken);

  const mux = wire.subscribe(`${wire.inbox}.*`, undefined, (packet) => {
    const token = packet.subject.slice(wire.inbox.length + 1);
    const waiting = pending.get(token);
    if (waiting === undefined) {
      lines.receive(token, packet);
      return;
    }
    const reason = packet.header(failedHeader.toLowerCase());
    if (packet.nobody) waiting.reject(new NoResponders());
    else if (reason !== undefined) waiting.reject(new RemoteFailure(decode(packet.data)));
    else waiting.resolve(packet.data);
  });

  /** Waits for a wire that is down, as long as the caller would wait for an answer. */
  function whenUp(send: () => void): Disposable | undefined {
    if (wire.upSinceMs() !== undefined) {
      send();
      return undefined;
    }
    const up = wire.onUp(() => {
      up[Symbol.dispose]();
      send();
    });
    return up;
  }

  async function listen(
    subject: string,
    queue: string | undefined,
    work: (packet: Packet) => Promise<void>,
    bounds: { readonly concurrency: number; readonly waitingMax: number },
    stopping: () => void = () => undefined,
  ): Promise<Served> {
    const team = workers(work, {
      ...bounds,
      dropped: () => log.warn({ subject }, "too many messages wait, the oldest was dropped"),
    });
    const subscription = wire.subscribe(subject, queue, (packet) => team.take(packet));
    const entry: Served = {
      async [Symbol.asyncDispose]() {
        if (!served.delete(entry)) return team.idle();
        await subscription.unsubscribe();
        stopping();
        await team.idle();
      },
    };
    served.add(entry);
    await wire.flush();
    return entry;
  }

  function answer(packet: Packet, data: Uint8Array, failed: boolean): void {
    if (packet.reply === undefined) return;
    wire.publish(packet.reply, data, failed ? { headers: { [failedHeader]: "1" } } : {});
  }

  return {
    publish(subject, data) {
      if (wire.upSinceMs() !== undefined) wire.publish(subject, data);
    },
    subscribe(subject, handler) {
      const work = async (packet: Packet) => {
        try {
          await handler(packet);
        } catch (error) {
          log.error({ err: error, subject: packet.subject }, "a subscriber failed");
        }
      };
      return listen(subject, undefined, work, { concurrency: 1, waitingMax: heardWaitingMax });
    },
    async request(subject, data, { timeoutMs = requestTimeoutMs, signal } = {}) {
      signal?.throwIfAborted();
      const token = newToken();
      const waiting = Promise.withResolvers<Uint8Array>();
      pending.set(token, waiting);
      using _timer = clock.after(timeoutMs, () =>
        waiting.reject(new RequestTimeout(`no answer within ${timeoutMs} ms`)),
      );
      const stop = () => waiting.reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      try {
        using _up = whenUp(() => {
          try {
            wire.publish(subject, data, { reply: `${wire.inbox}.${token}` });
          } catch (error) {
            waiting.reject(error);
          }
        });
        return await waiting.promise;
      } finally {
        pending.delete(token);
        signal?.removeEventListener("abort", stop);
      }
    },
    serve(subject, handler, { queue, concurrency = concurrencyDefault }: ServeOptions = {}) {
      const work = async (packet: Packet) => {
        try {
          const data = await handler(packet);
          if (data !== undefined) answer(packet, data, false);
        } catch (error) {
          log.debug({ err: error, subject: packet.subject }, "a request failed");
          answer(packet, encode(error instanceof Error ? error.message : String(error)), true);
        }
      };
      return listen(subject, queue, work, { concurrency, waitingMax: servedWaitingMax });
    },
    open(subject, opening, { timeoutMs = requestTimeoutMs, signal } = {}) {
      if (closing) return Promise.reject(new NoResponders("the bus is closed"));
      return lines.open(subject, opening, { timeoutMs, signal });
    },
    accept(subject, handler, { queue, concurrency = concurrencyDefault }: ServeOptions = {}) {
      const open = new Set<ByteStream>();
      const work = (packet: Packet) =>
        lines.accept(packet, async (stream) => {
          open.add(stream);
          try {
            await handler(stream, packet satisfies Message);
          } finally {
            open.delete(stream);
          }
        });
      const stop = () => {
        for (const stream of open) stream.abort("the server is stopping");
      };
      return listen(subject, queue, work, { concurrency, waitingMax: servedWaitingMax }, stop);
    },
    healthySinceMs: () => wire.upSinceMs(),
    onReconnect: (listener) => wire.onUp(listener),
    async [Symbol.asyncDispose]() {
      if (closing) return;
      closing = true;
      lines.abortAll("the bus is closing");
      await Promise.all([...served].map((entry) => entry[Symbol.asyncDispose]()));
      for (const waiting of pending.values()) waiting.reject(new NoResponders("the bus is closed"));
      await mux.unsubscribe();
      await wire[Symbol.asyncDispose]();
    },
  };
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
