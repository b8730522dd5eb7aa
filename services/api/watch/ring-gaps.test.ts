/** The ring against the record, while the feed skips, breaks off and starts over. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { replicaOptions } from "../../../libs/cluster/view.ts";
import { memoryBucket } from "../../../libs/store/memory-bucket.ts";
import { type MemoryFaults, noFaults } from "../../../libs/store/memory-faults.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { openReplica } from "../../../libs/store/open-replica.ts";
import type { Change } from "../../../libs/store/replica.ts";
import type { Entry, FeedItem, Revision, Store } from "../../../libs/store/store.ts";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { catchUp } from "./catch-up.ts";
import { changeRing } from "./change-ring.ts";

const log = createLog("ring", "silent");
const signal = new AbortController().signal;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A step writes, or deletes, one of few keys, several at once; or the feed starts over. */
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }) },
    { weight: 4, arbitrary: fc.nat(4) },
    { weight: 1, arbitrary: fc.constant("reset" as const) },
  ),
  { minLength: 5, maxLength: 60 },
);
type Step = number | number[] | "reset";

/** Keys keep two revisions: who lags for a moment is not shown the rest. */
function world(seed: number, recorded: number) {
  const random = seededRandom(seed);
  const bucket = memoryBucket({ clock, depth: 2, recorded });
  const faults: MemoryFaults = {
    ...noFaults,
    deliver: () => (random.next() < 0.1 ? (random.next() < 0.8 ? "pause" : "cut") : "pass"),
    lag: () => Math.floor(random.next() * 3),
    delayMs: () => 1 + Math.floor(random.next() * 3),
  };
  const reset = Promise.withResolvers<void>();
  const resets = [reset];
  const store = memoryStore({ bucket, random, log, faults });
  const fed: Store = {
    ...store,
    async *feed(options): AsyncGenerator<FeedItem> {
      for (;;) {
        const over = resets.at(-1)?.promise;
        const cut = new AbortController();
        over?.then(
          () => cut.abort(),
          () => undefined,
        );
        const inner = AbortSignal.any([options.signal, cut.signal]);
        yield* store.feed({ ...options, signal: inner });
        if (options.signal.aborted) return;
        yield { type: "reset" };
      }
    },
  };
  return {
    store: fed,
    reset: () => {
      const last = resets.at(-1);
      resets.push(Promise.withResolvers<void>());
      last?.resolve();
    },
  };
}

/** Runs the steps as fast as they are taken, and puts a last key. */
async function run(store: Store, given: readonly Step[], reset: () => void): Promise<Revision> {
  const held = new Map<string, Revision>();
  let last = 0;
  for (const step of given) {
    if (step === "reset") {
      reset();
      await clock.sleep(1);
      continue;
    }
    const isDelete = !Array.isArray(step);
    const keys = [...new Set(isDelete ? [step] : step)].map((nth) => `pods.x.${nth}`);
    const ops = keys
      .filter((key) => !isDelete || held.has(key))
      .map((key) => {
        const value = encode({ metadata: { name: key } });
        const expect = held.get(key) ?? ("absent" as const);
        return isDelete
          ? ({ op: "delete", key, expect, last: value } as const)
          : ({ op: "put", key, expect, value } as const);
      });
    if (ops.length === 0) continue;
    const outcome = await store.commit(ops);
    if (!outcome.ok) throw new Error(`${outcome.conflict} has moved`);
    last = outcome.revision;
    for (const [nth, { key }] of ops.entries()) {
      if (isDelete) held.delete(key);
      else held.set(key, last - (ops.length - 1 - nth));
    }
  }
  const ended = await store.commit([
    { op: "put", key: "pods.x.end", expect: "absent", value: encode({ metadata: {} }) },
  ]);
  return ended.ok ? ended.revision : expect.unreachable();
}

/** A change as it must be: at which revision, of which key, and which revision it ended. */
const shown = ({ key, revision, before, after }: Change<unknown>) =>
  `${revision} ${key} ${before?.revision ?? "-"} ${after === undefined ? "gone" : "held"}`;

/** What the record says that happened. */
async function recorded(store: Store, upTo: Revision): Promise<readonly string[]> {
  const live = new Map<string, Revision>();
  const all: string[] = [];
  for await (const { key, revision, deleted } of store.history({ after: 0, upTo, signal })) {
    const before = live.get(key);
    all.push(`${revision} ${key} ${before ?? "-"} ${deleted ? "gone" : "held"}`);
    if (deleted) live.delete(key);
    else live.set(key, revision);
  }
  return all;
}

async function opened(store: Store) {
  const stop = new AbortController();
  const replica = await openReplica(store, { ...replicaOptions, clock, log, signal: stop.signal });
  const ring = changeRing(replica, { store, clock, log });
  return {
    replica,
    ring,
    async [Symbol.asyncDispose]() {
      ring[Symbol.dispose]();
      stop.abort();
      await replica[Symbol.asyncDispose]();
    },
  };
}

describe("the ring and the record", () => {
  test("show every change in order with what was before it, whatever the feed skips", async () => {
    let repaired = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        const { store, reset } = world(seed, 10_000);
        await using _store = store;
        await using cache = await opened(store);
        const seen: string[] = [];
        const lost: string[] = [];
        let delivered = 0;
        using _count = cache.replica.subscribe(({ changes }) => (delivered += changes.length));
        const ended = Promise.withResolvers<void>();
        using _following = cache.ring.follow("pods.", {
          changed(change) {
            seen.push(shown(change));
            if (change.key === "pods.x.end") ended.resolve();
          },
          lost: () => lost.push("lost"),
        });
        const end = await run(store, given, reset);
        await ended.promise;
        const wanted = await recorded(store, end);
        expect(lost).toEqual([]);
        expect(seen).toEqual(wanted);
        expect(cache.ring.after(0, "pods.")?.map(shown)).toEqual(wanted);
        if (delivered !== wanted.length) repaired += 1;
      }),
      { numRuns: 60 },
    );
    expect(repaired).toBeGreaterThan(5); // Otherwise nothing was put to the proof.
  });

  test("catch a watch up from any revision, on an instance that saw none of it", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat(), async (given, seed, from) => {
        const { store, reset } = world(seed, 10_000);
        await using _store = store;
        const upTo = await run(store, given, reset);
        const after = from % upTo;
        const all = await recorded(store, upTo);
        const range = { after, upTo, prefix: "pods.x.", signal };
        const caught = (await Array.fromAsync(catchUp(store, range))).map(shown);
        expect(caught).toEqual(all.filter((line) => Number.parseInt(line, 10) > after));
      }),
      { numRuns: 60 },
    );
  });

  test("never show a gap: without the record, watches are told that they lost something", async () => {
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        const { store, reset } = world(seed, 10_000);
        await using _store = store;
        const forgetful: Store = {
          ...store,
          async *history(options): AsyncGenerator<Entry> {
            for await (const entry of store.history(options)) {
              if (entry.revision % 5 > 0) yield entry;
            }
          },
        };
        await using cache = await opened(forgetful);
        let seen: string[] = [];
        let from = 0;
        const ended = Promise.withResolvers<void>();
        using _following = cache.ring.follow("pods.", {
          changed(change) {
            seen.push(shown(change));
            if (change.key === "pods.x.end") ended.resolve();
          },
          lost() {
            losses += 1;
            seen = [];
            from = cache.replica.revision;
            if (cache.replica.get("pods.x.end") !== undefined) ended.resolve();
          },
        });
        const end = await run(store, given, reset);
        await ended.promise;
        const all = await recorded(store, end);
        const ofEach = (lines: readonly string[]) =>
          lines.map((line) => line.split(" ").slice(0, 2).join(" "));
        const wanted = ofEach(all.filter((line) => Number.parseInt(line, 10) > from));
        const missing = wanted.filter((line) => !ofEach(seen).includes(line));
        // What neither shows, nothing after it of its key shows either: no later change names it.
        const named = new Set(seen.map((line) => line.split(" ")[2]));
        expect(missing.filter((line) => named.has(line.split(" ")[0] ?? ""))).toEqual([]);
      }),
      { numRuns: 40 },
    );
    expect(losses).toBeGreaterThan(0);
  });
});
