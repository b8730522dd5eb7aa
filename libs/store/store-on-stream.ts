import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import { feedOf } from "./feed.ts";
import { groupCommit, readKeysMax } from "./group-commit.ts";
import { knownRevisions } from "./known.ts";
import { recordOf } from "./record.ts";
import type { FeedItem, Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import { isCarrier } from "./transaction.ts";

export type StorePorts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** The store's logic, the same on every stream. It owns `stream`. */
export function storeOnStream(stream: Stream, ports: StorePorts): Store {
  const known = knownRevisions();
  const closed = new AbortController();
  const until = (signal: AbortSignal | undefined) =>
    signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
  const lastRevision = shared(() => stream.lastRevision());
  return {
    commit: groupCommit(stream, known, ports),
    async get(key) {
      const entry = await stream.last(key);
      if (entry !== undefined) known.learn(entry);
      return entry;
    },
    lastRevision,
    isLast: (revision) => stream.isLast(revision),
    async *feed({ after, signal }): AsyncGenerator<FeedItem> {
      for await (const item of feedOf(stream, { after, signal: until(signal) }, ports)) {
        if (item.type === "entry") known.learn(item.entry);
        yield item;
      }
    },
    async *history({ after, upTo, prefix = "", signal }) {
      const options = { after, upTo, prefix, signal: until(signal) };
      for await (const entry of recordOf(stream, options, ports.clock)) {
        if (!isCarrier(entry.key)) yield entry;
      }
    },
    async recorded(keys, at) {
      const pages = await Promise.all(
        Array.from({ length: Math.ceil(keys.length / readKeysMax) }, async (_, page) =>
          stream.recorded(keys.slice(page * readKeysMax, (page + 1) * readKeysMax), at),
        ),
      );
      return new Map(pages.flatMap((page) => [...page]));
    },
    recordedAt: (revision) => stream.at(revision),
    async [Symbol.asyncDispose]() {
      closed.abort();
      await stream[Symbol.asyncDispose]();
    },
  };
}

/**
 * One round trip for all that wait. A call never joins one that is under way: its answer may be
 * older than the call.
 */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const asked = ask();
    current = asked;
    const over = () => {
      if (current === asked) current = undefined;
    };
    asked.then(over, over);
    return asked;
  };
  return () => {
    if (current === undefined) return begin();
    next ??= current.then(noop, noop).then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };
}

const noop = (): void => undefined;
