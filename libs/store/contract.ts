/** What every Store must do. Each implementation runs it, and the model beside it. */
import { describe, expect, test } from "vitest";
import type { Clock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { type Cut, cuts } from "./cuts.ts";
import { openReplica } from "./open-replica.ts";
import type { Replica } from "./replica.ts";
import {
  type Entry,
  type FeedItem,
  InvalidTransaction,
  type Op,
  type Outcome,
  type Revision,
  type Store,
} from "./store.ts";

/** An empty bucket; its stores are processes of one cluster. Disposing of it closes them all. */
export type Bucket = AsyncDisposable & {
  open(): Promise<Store>;
  /** Of its stores. */
  readonly clock: Clock;
  /** Resolves when every delete's marker has expired. */
  expire(): Promise<void>;
};

type Expect = Revision | "absent";
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (value: Uint8Array) => new TextDecoder().decode(value);

export const put = (key: string, expect: Expect = "absent", value = "v"): Op => ({
  op: "put",
  key,
  expect,
  value: encode(value),
});
export const remove = (key: string, expect: Expect, last = "last"): Op => ({
  op: "delete",
  key,
  expect,
  last: encode(last),
});
export const guard = (key: string, expect: Expect): Op => ({ op: "guard", key, expect });

export function storeContract(name: string, empty: () => Promise<Bucket>): void {
  describe(`${name} keeps the Store contract`, () => {
    test("creates a key once, and names the key that lost", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await store.commit([put("a")]));
      const lost = { ok: false, conflict: "a", revision: first };
      expect(await store.commit([put("a")])).toEqual(lost);
      expect(await other.commit([put("a")])).toEqual(lost);
    });

    test("replaces the revision that was read, and no other", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await store.commit([put("a")]));
      const second = revisionOf(await other.commit([put("a", first, "2")]));
      expect(second).toBeGreaterThan(first);
      expect(await store.commit([put("a", first, "3")])).toMatchObject({ conflict: "a" });
      expect(await store.get("a")).toMatchObject({ revision: second, previous: first });
    });

    test("commits all of a transaction or none, under adjacent revisions", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      expect(await store.commit([put("a"), put("b", 7)])).toMatchObject({ conflict: "b" });
      expect(await store.get("a")).toBeUndefined();
      const last = revisionOf(await store.commit([put("a"), put("b"), put("c")], { cut: 3 }));
      const entries = await Promise.all(["a", "b", "c"].map((key) => store.get(key)));
      expect(entries.map((entry) => entry?.revision)).toEqual([last - 2, last - 1, last]);
      expect(entries.map((entry) => entry?.tx.index)).toEqual([1, 2, 3]);
      expect(new Set(entries.map((entry) => entry?.tx.id)).size).toBe(1);
      expect(entries.map((entry) => entry?.cut)).toEqual([3, 3, 3]);
      expect(await store.lastRevision()).toBe(last);
      expect(await store.isLast(last)).toBe(true);
      expect(await store.isLast(last - 1)).toBe(false);
      expect(await store.isLast(0)).toBe(false);
    });

    test("deletes with a marker that carries the last state, and creates over it (S6, S9)", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await store.commit([put("a")]));
      const deleted = revisionOf(await store.commit([remove("a", first, "bye")]));
      const marker = await other.get("a");
      expect(marker).toMatchObject({ revision: deleted, deleted: true, previous: first });
      expect(decode(marker?.value ?? new Uint8Array())).toBe("bye");
      expect(await store.commit([put("a", first)])).toMatchObject({ conflict: "a" });
      const again = revisionOf(await other.commit([put("a"), put("b")]));
      expect(await store.get("a")).toMatchObject({ revision: again - 1, previous: deleted });
    });

    test("creates where a marker has expired without a word (S6)", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await store.commit([put("a")]));
      const deleted = revisionOf(await store.commit([remove("a", first)]));
      await bucket.expire();
      expect(await store.get("a")).toBeUndefined();
      expect(await store.commit([put("a", first)])).toMatchObject({ conflict: "a" });
      expect(await other.commit([put("a", deleted)])).toMatchObject({ conflict: "a" });
      expect(await store.commit([put("b"), guard("a", "absent")])).toMatchObject({ ok: true });
      expect(await store.commit([put("a")])).toMatchObject({ ok: true });
    });

    test("holds a guard only while its key has not moved", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const node = revisionOf(await store.commit([put("load.n1")]));
      const bind = [put("pods.a.x"), { ...put("assign.n1.a.x"), covered: true as const }];
      expect(await store.commit([...bind, guard("load.n1", node)])).toMatchObject({ ok: true });
      const moved = revisionOf(await other.commit([put("load.n1", node)]));
      expect(await store.commit([put("pods.a.y"), guard("load.n1", node)])).toEqual({
        ok: false,
        conflict: "load.n1",
        revision: moved,
      });
      const late = { ...put("assign.n1.a.z"), covered: true as const };
      const outcome = await store.commit([put("pods.a.z"), late, guard("load.n1", node)]);
      expect(outcome).toMatchObject({ ok: false, conflict: "load.n1" });
      expect(await store.get("pods.a.z")).toBeUndefined();
    });

    test("commits many transactions under one guard together", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      const terms = revisionOf(await store.commit([put("terms")]));
      const binds = Array.from({ length: 40 }, (_, at) =>
        store.commit([put(`pods.a.${at}`), guard("terms", terms)]),
      );
      expect((await Promise.all(binds)).filter(({ ok }) => !ok)).toEqual([]);
    });

    test("never commits two transactions that guard each other's writes (S8)", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      for (let round = 0; round < 10; round += 1) {
        const [one, two] = [`a${round}`, `b${round}`];
        const outcomes = await Promise.all([
          store.commit([put(one), guard(two, "absent")]),
          store.commit([put(two), guard(one, "absent")]),
          store.commit([put(`c${round}`)]),
        ]);
        expect(outcomes.map(({ ok }) => ok)).toEqual(expect.arrayContaining([true, false]));
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2);
      }
    });

    test("lets one of many racing writers win", async () => {
      await using bucket = await empty();
      const stores = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await stores[0]?.commit([put("a"), put("b")]));
      const race = Array.from({ length: 30 }, (_, at) =>
        pick(stores, at).commit([put("a", first - 1, `${at}`), put("b", first, `${at}`)]),
      );
      const outcomes = await Promise.all(race);
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      const [a, b] = await Promise.all(["a", "b"].map((key) => pick(stores, 0).get(key)));
      expect(a?.tx.id).toBe(b?.tx.id);
    });

    test("loses no increment of writers in two processes", async () => {
      await using bucket = await empty();
      const stores = [await bucket.open(), await bucket.open()];
      const increment = async (store: Store) => {
        for (;;) {
          const entry = await store.get("count");
          const value = entry === undefined ? 0 : Number(decode(entry.value));
          const op = put("count", entry?.revision ?? "absent", String(value + 1));
          if ((await store.commit([op])).ok) return;
        }
      };
      await Promise.all(Array.from({ length: 24 }, (_, at) => increment(pick(stores, at))));
      expect(decode((await stores[0]?.get("count"))?.value ?? new Uint8Array())).toBe("24");
    });

    test("commits the same id once, however far its keys have moved since (S4)", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const ops = [put("a"), put("b")];
      const first = revisionOf(await store.commit(ops, { id: "tx-1" }));
      expect(await store.commit(ops, { id: "tx-1" })).toEqual({ ok: true, revision: first });
      expect(await other.commit(ops, { id: "tx-1" })).toEqual({ ok: true, revision: first });
      expect(await other.commit(ops, { id: "tx-2" })).toMatchObject({ ok: false });
      let at = first - 1;
      for (let step = 0; step < 20; step += 1) {
        at = revisionOf(await store.commit([put("a", at)])); // Hides it by depth.
      }
      expect(await other.commit(ops, { id: "tx-1" })).toEqual({ ok: true, revision: first });
      await store.commit([remove("a", at)]); // Hides it by a rollup.
      await store.commit([put("a")]);
      expect(await other.commit(ops, { id: "tx-1" })).toEqual({ ok: true, revision: first });
      expect(await other.commit(ops, { id: "tx-3" })).toMatchObject({ ok: false });
    });

    test("refuses what can never be committed, and goes on", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      const wrong: readonly (readonly Op[])[] = [
        [],
        [guard("a", "absent")],
        [put("a"), put("a")],
        [put("a b")],
        [put("")],
        [put("a", "absent", "x".repeat(6 * 1024 * 1024))],
        Array.from({ length: 1_001 }, (_, at) => put(`a${at}`)),
      ];
      for (const ops of wrong) {
        await expect(store.commit(ops)).rejects.toThrow(InvalidTransaction);
      }
      expect(await store.commit([put("a")])).toMatchObject({ ok: true });
    });

    test("commits a thousand writes as one", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      const ops = Array.from({ length: 1_000 }, (_, at) => put(`a${at}`));
      const last = revisionOf(await store.commit(ops));
      expect((await store.get("a0"))?.revision).toBe(last - 999);
    });

    test("feeds the newest of every key, then every change", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      const first = revisionOf(await store.commit([put("a")]));
      await store.commit([put("a", first, "2"), put("b")]);
      const loaded = await readFeed(other, 0, ({ type }) => type === "loaded");
      expect(entriesOf(loaded)).toEqual(["a@2", "b@3"]);
      const last = await store.lastRevision();
      await store.commit([put("c")]);
      await store.commit([remove("b", last)]);
      const items = await readFeed(other, 0, (item) => isAt(item, last + 2));
      expect(entriesOf(items)).toEqual(["a@2", "c@4", "b@5!"]);
    });

    test("feeds on from a revision without a gap, and ends when told", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      const first = revisionOf(await store.commit([put("a")]));
      const last = revisionOf(await store.commit([put("b"), put("c")]));
      const items = await readFeed(store, first, (item) => isAt(item, last));
      expect(entriesOf(items)).toEqual(["b@2", "c@3"]);
      const stop = new AbortController();
      stop.abort();
      const ended = await Array.fromAsync(store.feed({ after: 0, signal: stop.signal }));
      expect(ended).toEqual([]);
    });

    test("records every revision, also those that depth and rollups hide (W2)", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      let at = revisionOf(await store.commit([put("a.x")]));
      for (let step = 1; step < 30; step += 1)
        at = revisionOf(await store.commit([put("a.x", at)]));
      await store.commit([put("b.y")]);
      const all = await settledHistory(store, 0, 31);
      expect(all.map(({ revision }) => revision)).toEqual(
        Array.from({ length: 31 }, (_, n) => n + 1),
      );
      const gone = revisionOf(await store.commit([remove("a.x", at)]));
      await store.commit([put("a.x")]);
      const later = await settledHistory(store, 28, gone + 1, "a.");
      expect(later.map(label)).toEqual(["a.x@29", "a.x@30", "a.x@32!", "a.x@33"]);
    });

    test("tells what keys held at a revision of the record", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      let at = revisionOf(await store.commit([put("a", "absent", "1")]));
      const first = at;
      const other = revisionOf(await store.commit([put("b")]));
      for (let step = 2; step <= 20; step += 1) {
        at = revisionOf(await store.commit([put("a", at, `${step}`)]));
      }
      const gone = revisionOf(await store.commit([remove("b", other)]));
      const last = revisionOf(await store.commit([put("c")]));
      await settledHistory(store, 0, last);
      const heldAt = async (revision: Revision) => {
        const entries = await store.recorded(["a", "b", "c"], revision);
        return [...entries.values()].map(label).toSorted();
      };
      expect(await heldAt(first)).toEqual([`a@${first}`]);
      expect(await heldAt(other + 3)).toEqual([`a@${other + 3}`, `b@${other}`]);
      expect(await heldAt(last)).toEqual([`a@${at}`, `b@${gone}!`, `c@${last}`]);
      expect(await store.recordedAt(other)).toMatchObject({ key: "b", revision: other });
      expect(await store.recordedAt(last + 1)).toBeUndefined();
      expect(await store.recorded([], last)).toEqual(new Map());
    });

    test("shows a replica only whole transactions (S1)", async () => {
      await using bucket = await empty();
      const [store, other] = [await bucket.open(), await bucket.open()];
      await using replica = await textReplica(other, bucket.clock);
      const torn: string[] = [];
      using _watching = replica.subscribe(() => {
        const values = [...replica.scan("pair.")].map(({ value }) => value);
        if (new Set(values).size > 1 || values.length % 3 > 0) torn.push(values.join());
      });
      let last = revisionOf(await store.commit([put("pair.a"), put("pair.b"), put("pair.c")]));
      for (let step = 0; step < 40; step += 1) {
        const ops = ["a", "b", "c"].map((key, at) => put(`pair.${key}`, last - 2 + at, `${step}`));
        const beside = Array.from({ length: 5 }, (_, at) => store.commit([put(`x.${step}-${at}`)]));
        last = revisionOf(await store.commit(ops));
        await Promise.all(beside);
        if (step % 10 !== 5) continue;
        await using late = await textReplica(store, bucket.clock); // Loads while writes go on.
        expect(new Set([...late.scan("pair.")].map(({ value }) => value)).size).toBe(1);
      }
      await replica.caughtUp(last);
      expect(torn).toEqual([]);
      expect(replica.get("pair.c")).toMatchObject({ value: "39", revision: last });
    });

    test("says after a gap what is stored, so that no cut ends before that (S1)", async () => {
      await using bucket = await empty();
      const store = await bucket.open();
      const made = revisionOf(await store.commit([put("pair.a"), put("pair.b")]));
      const changed = [put("pair.a", made - 1, "2"), put("pair.b", made, "2")];
      const second = revisionOf(await store.commit(changed));
      await store.commit([put("beside")]);
      const gone = revisionOf(await store.commit([remove("pair.b", second)]));
      await store.commit([put("later")]);
      // As a replica that was cut off after the first transaction: what "b" held then is purged.
      const boundary = cuts();
      boundary.take({ type: "loaded", revision: made });
      const taken: Cut[] = [];
      await readFeed(store, made, (item) => {
        taken.push(...boundary.take(item));
        return taken.some(({ type }) => type === "transaction");
      });
      const first = taken.find((cut) => cut.type === "transaction");
      expect(first?.entries.map(({ revision }) => revision)).toEqual(
        expect.arrayContaining([second - 1, gone]),
      );
    });
  });
}

/** A replica of texts, for as long as it is not disposed. */
export function textReplica(store: Store, clock: Clock): Promise<Replica<string>> {
  return openReplica<string>(store, {
    decode: (entry) => decode(entry.value),
    indexes: { value: (held) => [held.value] },
    clock,
    log: createLog("replica", "silent"),
    signal: new AbortController().signal,
  });
}

export function revisionOf(outcome: Outcome | undefined): Revision {
  if (outcome?.ok !== true) throw new Error(`lost: ${JSON.stringify(outcome)}`);
  return outcome.revision;
}

async function readFeed(
  store: Store,
  after: Revision,
  isLast: (item: FeedItem) => boolean,
): Promise<readonly FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const item of store.feed({ after, signal: AbortSignal.timeout(10_000) })) {
    if (item.type === "reset") items.length = 0;
    items.push(item);
    if (isLast(item)) return items;
  }
  throw new Error("the feed ended early");
}

const isAt = (item: FeedItem, revision: Revision) =>
  item.type === "entry" && item.entry.revision === revision;

const label = ({ key, revision, deleted }: Entry) => `${key}@${revision}${deleted ? "!" : ""}`;

const entriesOf = (items: readonly FeedItem[]) =>
  items.flatMap((item) => (item.type === "entry" ? [label(item.entry)] : []));

export const settledHistory = (
  store: Store,
  after: Revision,
  upTo: Revision,
  prefix = "",
): Promise<Entry[]> =>
  Array.fromAsync(store.history({ after, upTo, prefix, signal: AbortSignal.timeout(10_000) }));

function pick<T>(items: readonly T[], at: number): T {
  const item = items[at % items.length];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}
