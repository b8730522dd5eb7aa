/**
 * One end of a two-way stream: what it sends and holds, apart from how frames travel.
 *
 *     open ──accept──▶ both sides write and read under credit
 *     end (half) … end (both) │ close (a side's last word) │ abort, gap, silence ──▶ closed
 */
import { type ByteStream, StreamBroken } from "./bus.ts";
import type { Frame } from "./frame.ts";

/** What may be under way in one direction and unread, and what a chunk costs beside its bytes. */
export const windowBytes = 256 * 1_024;
export const chunkMaxBytes = 64 * 1_024;
const chunkCostBytes = 64;
const writersMax = 1_000;

export type StreamEnd = {
  readonly stream: ByteStream;
  /** A frame of the peer's, in order. */
  receive(frame: Frame): void;
  /** Nothing more will come or go: reads and writes throw. */
  fail(reason: string): void;
  /** Ends this side and stops reading: what was written still arrives. */
  close(): void;
};

export type StreamOptions = {
  readonly send: (frame: Frame) => void;
  /** Called once, at the first read, write or end: the handler has taken the stream on. */
  readonly touched: () => void;
  /** Called once, when the peer needs nothing more of this end. */
  readonly finished: () => void;
};

type Writer = { readonly chunk: Uint8Array | undefined; readonly done: PromiseWithResolvers<void> };

export function streamEnd({ send, touched, finished }: StreamOptions): StreamEnd {
  const closed = new AbortController();
  const unread: Uint8Array[] = [];
  const writers: Writer[] = [];
  let reader: PromiseWithResolvers<void> | undefined;
  let broken: StreamBroken | undefined;
  let [sent, acknowledged, granted, consumed, told] = [0, 0, 0, 0, 0];
  let [ended, peerEnded, peerClosed, released, known] = [false, false, false, false, false];

  function touch(): void {
    if (known) return;
    known = true;
    touched();
  }

  /** Tells the owner once that the stream needs no more frames. */
  function release(): void {
    if (released) return;
    released = true;
    finished();
  }

  function settle(): void {
    reader?.resolve();
    reader = undefined;
    if (peerClosed || (ended && peerEnded)) release();
    const over =
      broken !== undefined || ((ended || peerClosed) && peerEnded && unread.length === 0);
    if (over) closed.abort();
  }

  function fail(reason: string): void {
    if (broken !== undefined || closed.signal.aborted) return;
    broken = new StreamBroken(reason);
    unread.length = 0;
    refuseWriters(broken);
    release();
    settle();
  }

  function refuseWriters(error: StreamBroken): void {
    for (const { done } of writers.splice(0)) done.reject(error);
  }

  function flush(): void {
    for (let writer = writers[0]; writer !== undefined; writer = writers[0]) {
      if (writer.chunk === undefined) {
        ended = true;
        send({ kind: "end" });
      } else {
        const cost = costOf(writer.chunk);
        if (sent + cost > acknowledged + windowBytes) return;
        sent += cost;
        send({ kind: "data", chunk: writer.chunk });
      }
      writers.shift();
      writer.done.resolve();
    }
    settle();
  }

  function enqueue(chunk: Uint8Array | undefined): Promise<void> {
    touch();
    const gone =
      broken ?? (peerClosed ? new StreamBroken("the peer has closed the stream") : undefined);
    if (gone !== undefined) return Promise.reject(gone);
    if (ended || writers.some((writer) => writer.chunk === undefined)) {
      return chunk === undefined
        ? Promise.resolve()
        : Promise.reject(new StreamBroken("this side has ended"));
    }
    if (writers.length >= writersMax) return Promise.reject(new RangeError("too many writes wait"));
    const writer = { chunk, done: Promise.withResolvers<void>() };
    writers.push(writer);
    flush();
    return writer.done.promise;
  }

  function accepted(chunk: Uint8Array): void {
    granted += costOf(chunk);
    if (peerEnded) return;
    if (granted - consumed > windowBytes) {
      send({ kind: "abort", reason: "the peer ignored flow control" });
      return fail("the peer ignored flow control");
    }
    unread.push(chunk);
    settle();
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      touch();
      if (broken !== undefined) throw broken;
      const chunk = unread.shift();
      if (chunk !== undefined) {
        consumed += costOf(chunk);
        if (consumed - told >= windowBytes / 4 && !peerEnded) {
          told = consumed;
          send({ kind: "credit", consumed });
        }
        settle();
        yield chunk;
        continue;
      }
      if (peerEnded) return;
      reader ??= Promise.withResolvers<void>();
      await reader.promise;
    }
  }

  const stream: ByteStream = {
    readable: { [Symbol.asyncIterator]: read },
    async write(chunk) {
      if (chunk.byteLength > chunkMaxBytes) throw new RangeError("a chunk holds at most 64 KiB");
      await enqueue(chunk);
    },
    end: () => enqueue(undefined),
    abort(reason) {
      if (!released) send({ kind: "abort", reason });
      fail(reason);
    },
    closed: closed.signal,
    async [Symbol.asyncDispose]() {
      close();
    },
  };

  function close(): void {
    if (closed.signal.aborted) return;
    if (!released) send({ kind: "close" });
    [ended, peerEnded, peerClosed] = [true, true, true];
    unread.length = 0;
    refuseWriters(new StreamBroken("the stream was closed"));
    settle();
  }

  return {
    stream,
    fail,
    close,
    receive(frame) {
      switch (frame.kind) {
        case "data":
          return accepted(frame.chunk);
        case "credit":
          acknowledged = Math.max(acknowledged, Math.min(frame.consumed, sent));
          return flush();
        case "end":
          peerEnded = true;
          return settle();
        case "close":
          [peerEnded, peerClosed] = [true, true];
          refuseWriters(new StreamBroken("the peer has closed the stream"));
          return settle();
        case "abort":
        case "refuse":
          return fail(frame.reason);
        case "accept":
        case "ping":
          return;
        default:
          return frame satisfies never;
      }
    },
  };
}

const costOf = (chunk: Uint8Array) => chunk.byteLength + chunkCostBytes;
