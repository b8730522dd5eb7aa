/** A watch and time: bookmarks, a slow client, a replica that is loaded anew, on a clock that is told. */
import { expect, test } from "vitest";
import { clusterView, replicaOptions } from "../../../libs/cluster/view.ts";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { openReplica } from "../../../libs/store/open-replica.ts";
import type { FeedItem, Op, Revision, Store } from "../../../libs/store/store.ts";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import type { ClientEvent } from "../../../test/watch-client.ts";
import { type Backend, backendOf } from "../resources/backend.ts";
import { runWatch, type WatchOptions } from "./watch.ts";

const log = createLog("watch", "silent");
const kind = configMap;
const shown = { kind, view: undefined, includeObject: "Metadata" } as const;
const putOf = (name: string, expect: Revision | "absent" = "absent"): Op => ({
  op: "put",
  key: `configmaps.x.${name}`,
  expect,
  value: new TextEncoder().encode(JSON.stringify({ metadata: { name, namespace: "x" } })),
});

async function opened(store: Store): Promise<AsyncDisposable & { backend: Backend }> {
  const ports = { clock: systemClock, log };
  const stop = new AbortController();
  const replica = await openReplica(store, { ...replicaOptions, ...ports, signal: stop.signal });
  const backend = backendOf({ store, replica, view: clusterView(replica) }, ports);
  return {
    backend,
    async [Symbol.asyncDispose]() {
      backend[Symbol.dispose]();
      stop.abort();
      await replica[Symbol.asyncDispose]();
    },
  };
}

/** A client that reads when it is told, and what it has read. */
function client() {
  const events: ClientEvent[] = [];
  const gone = new AbortController();
  let wait: Promise<void> | undefined;
  const heard = new Set<() => void>();
  return {
    events,
    leave: () => gone.abort(),
    /** Takes no more until what is returned is called. */
    stall(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      wait = promise;
      return resolve;
    },
    /** Resolves when as many events have come. */
    count: async (wanted: number): Promise<void> => {
      while (events.length < wanted) await new Promise<void>((resolve) => heard.add(resolve));
    },
    out: {
      signal: gone.signal,
      async write(text: string | Uint8Array) {
        const lines = String(text).split("\n").filter(Boolean);
        events.push(...lines.map((line) => JSON.parse(line) as ClientEvent)); // As it writes them.
        for (const tell of heard) tell();
        await wait;
      },
    },
  };
}

const options: WatchOptions = {
  prefix: "configmaps.x.",
  selects: () => true,
  from: { type: "state" },
  initialEventsEnd: false,
  bookmarks: true,
  timeoutMs: 600_000,
};

test("a bookmark comes each minute, and with the end of the time only where there is news", async () => {
  await using store = memoryStore();
  await using cache = await opened(store);
  const clock = virtualClock();
  const { out, events, count } = client();
  const running = runWatch(
    cache.backend,
    shown,
    { ...options, timeoutMs: 150_000 },
    { out, clock },
  );
  await clock.advance(59_000);
  expect(events).toEqual([]);
  await clock.advance(2_000);
  await count(1);
  expect(events.map(({ type }) => type)).toEqual(["BOOKMARK"]);
  const outcome = await store.commit([{ ...putOf("other"), key: "secrets.x.other" }]);
  const revision = outcome.ok ? outcome.revision : expect.unreachable();
  await cache.backend.replica.caughtUp(revision);
  await clock.advance(60_000);
  await count(2);
  expect(events[1]?.object.metadata.resourceVersion).toBe(String(revision));
  await clock.advance(60_000);
  await running;
  expect(events).toHaveLength(2);
});

test("a client that does not keep up is left, and finds the rest from where it was", async () => {
  await using store = memoryStore();
  await using cache = await opened(store);
  const slow = client();
  const goOn = slow.stall();
  const ports = { out: slow.out, clock: virtualClock() };
  const running = runWatch(cache.backend, shown, options, ports);
  let last = 0;
  for (let batch = 0; batch < 12; batch += 1) {
    const ops = Array.from({ length: 1_000 }, (_, nth) => putOf(`c${batch}-${nth}`));
    const outcome = await store.commit(ops);
    last = outcome.ok ? outcome.revision : expect.unreachable();
  }
  await cache.backend.replica.caughtUp(last);
  await running;
  goOn();
  const read = Number(slow.events.at(-1)?.object.metadata.resourceVersion);
  expect(slow.events.length).toBeLessThan(12_000);
  const next = client();
  const from = { type: "after", revision: read } as const;
  const resumed = runWatch(cache.backend, shown, { ...options, from }, { ...ports, out: next.out });
  await next.count(last - read);
  next.leave();
  await resumed;
  const revisions = [...slow.events, ...next.events].map(({ object }) =>
    Number(object.metadata.resourceVersion),
  );
  expect(revisions).toEqual(Array.from({ length: 12_000 }, (_, nth) => nth + 1));
});

test("a replica that is loaded anew ends no watch, and what came meanwhile is told in order", async () => {
  await using store = memoryStore();
  let cut = Promise.withResolvers<void>();
  let hold: Promise<void> = Promise.resolve();
  const fed: Store = {
    ...store,
    async *feed(given): AsyncGenerator<FeedItem> {
      while (!given.signal.aborted) {
        const over = new AbortController();
        const { promise } = cut;
        promise.then(
          () => over.abort(),
          () => undefined,
        );
        const signal = AbortSignal.any([given.signal, over.signal]);
        yield* store.feed({ ...given, signal });
        await hold;
        yield { type: "reset" };
      }
    },
  };
  await using cache = await opened(fed);
  const seen = client();
  const running = runWatch(cache.backend, shown, options, { out: seen.out, clock: virtualClock() });
  let at: Revision | "absent" = "absent";
  const write = async () => {
    const outcome = await store.commit([putOf("a", at)]);
    at = outcome.ok ? outcome.revision : expect.unreachable();
  };
  await write();
  await seen.count(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  hold = promise;
  const { resolve: cutOff } = cut;
  cut = Promise.withResolvers<void>();
  cutOff();
  for (let nth = 0; nth < 50; nth += 1) await write();
  resolve();
  await seen.count(51);
  seen.leave();
  await running;
  expect(seen.events.map(({ type }) => type)).toEqual(["ADDED", ...Array(50).fill("MODIFIED")]);
  expect(seen.events.map(({ object }) => Number(object.metadata.resourceVersion))).toEqual(
    Array.from({ length: 51 }, (_, nth) => nth + 1),
  );
});
