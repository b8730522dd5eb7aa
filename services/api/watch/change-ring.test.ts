import { expect, test } from "vitest";
import type { Advance, Change, Held, Replica } from "../../../libs/store/replica.ts";
import { type Entry, HistoryExpired } from "../../../libs/store/store.ts";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { changeRing as ringOf, heldBefore } from "./change-ring.ts";
import { eventOf } from "./watch-events.ts";

const held = (key: string, revision: number, labels = {}): Held<unknown> => ({
  key,
  revision,
  value: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: key, labels, resourceVersion: String(revision) },
  },
});

function change(
  before: Held<unknown> | undefined,
  after: Held<unknown> | undefined,
  revision: number,
): Change<unknown> {
  const key = (after ?? before)?.key ?? "";
  return { key, revision, before, after, last: after === undefined ? before?.value : undefined };
}

/** What was delivered of them. */
const entriesOf = (changes: readonly Change<unknown>[]): readonly Entry[] =>
  changes.map(({ key, revision, after }) => ({
    key,
    revision,
    value: new Uint8Array(),
    deleted: after === undefined,
    storedAtMs: 0,
    tx: { id: "", index: 1, count: 1 },
    previous: 0,
    cut: 0,
  }));

const store = {
  history: (): AsyncIterable<Entry> => {
    throw new HistoryExpired("nothing is recorded");
  },
};
const changeRing = (replica: Parameters<typeof ringOf>[0]) =>
  ringOf(replica, { store, clock: systemClock, log: createLog("ring", "silent") });

/** A replica that changes when it is told to. */
function told() {
  const listeners = new Set<(advance: Advance<unknown>) => void>();
  const state = { revision: 10 };
  const replica = {
    get revision() {
      return state.revision;
    },
    get: () => undefined,
    subscribe(listener: (advance: Advance<unknown>) => void) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  const advance = (changes: Change<unknown>[], revision: number, loaded = false) => {
    state.revision = revision;
    for (const listener of listeners)
      listener({ changes, revision, loaded, entries: entriesOf(changes) });
  };
  // The ring uses no more of a replica than this.
  return { replica: replica as unknown as Replica<unknown>, advance };
}

test("a ring tells what came after a revision, and that it does not know", () => {
  const { replica, advance } = told();
  using ring = changeRing(replica);
  const [a, b] = [held("pods.x.a", 11), held("nodes._.b", 12)];
  advance([change(undefined, a, 11), change(undefined, b, 12)], 12);
  expect(ring.after(10, "pods.")?.map(({ key }) => key)).toEqual(["pods.x.a"]);
  expect(ring.after(11, "pods.")).toEqual([]);
  expect(ring.after(9, "pods.")).toBeUndefined();
});

test("a ring follows one prefix, and says when changes were missed for good", async () => {
  const { replica, advance } = told();
  using ring = changeRing(replica);
  const seen: string[] = [];
  const listener = {
    changed: ({ key }: { key: string }) => seen.push(key),
    lost: () => seen.push("lost"),
  };
  const following = ring.follow("pods.x.", listener);
  advance(
    [change(undefined, held("pods.x.a", 11), 11), change(undefined, held("pods.y.a", 12), 12)],
    12,
  );
  advance([], 20, true);
  await ring.settled();
  expect(seen).toEqual(["pods.x.a", "lost"]);
  expect(ring.base).toBe(20);
  following[Symbol.dispose]();
  advance([change(undefined, held("pods.x.b", 21), 21)], 21);
  expect(seen).toHaveLength(2);
});

test("a list at an earlier revision takes back what changed since", () => {
  const { replica, advance } = told();
  using ring = changeRing(replica);
  const [old, newer, gone, born] = [
    held("pods.x.a", 5),
    held("pods.x.a", 11),
    held("pods.x.b", 6),
    held("pods.x.c", 13),
  ];
  advance([change(old, newer, 11), change(gone, undefined, 12), change(undefined, born, 13)], 13);
  const scan = () => [newer, born];
  const at = (revision: number) => {
    const later = ring.after(revision, "pods.x.");
    return later && heldBefore(scan(), later).map(({ key, revision }) => `${key}@${revision}`);
  };
  expect(at(10)?.toSorted()).toEqual(["pods.x.a@5", "pods.x.b@6"]);
  expect(at(13)).toEqual(["pods.x.a@11", "pods.x.c@13"]);
  expect(at(9)).toBeUndefined();
});

test.each([
  ["comes to match", {}, { on: "1" }, "ADDED"],
  ["still matches", { on: "1" }, { on: "1" }, "MODIFIED"],
  ["ceases to match", { on: "1" }, {}, "DELETED"],
  ["is deleted", { on: "1" }, undefined, "DELETED"],
  ["never matched", {}, {}, undefined],
  ["is deleted without having matched", {}, undefined, undefined],
])("a watch is told of an object that %s", (_name, before, after, type) => {
  const now = after === undefined ? undefined : held("pods.x.a", 11, after);
  const event = eventOf(
    change(held("pods.x.a", 5, before), now, 11),
    ({ metadata }) => metadata.labels?.["on"] === "1",
  );
  expect(event?.type).toBe(type);
  expect(event?.object.metadata.resourceVersion).toBe(type === undefined ? undefined : "11");
});
