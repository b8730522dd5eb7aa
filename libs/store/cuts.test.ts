import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cut, cuts, LagsTooFar } from "./cuts.ts";
import type { Entry, FeedItem } from "./store.ts";

type Written = { readonly key: string; readonly index?: number; readonly count?: number };

function entryOf(revision: number, { key, index = 1, count = 1 }: Written): Entry {
  const tx = { id: `tx-${revision - index}`, index, count };
  const value = new TextEncoder().encode(String(revision));
  return { key, value, revision, deleted: false, storedAtMs: 0, tx, previous: 0, cut: 0 };
}

const message = (revision: number, written: Written = { key: "a" }): FeedItem => ({
  type: "entry",
  entry: entryOf(revision, written),
});
const stored = (revision: number, after: number): FeedItem => ({ type: "stored", revision, after });
const loaded = (revision: number): FeedItem => ({ type: "loaded", revision });
const ends = (all: readonly Cut[]) =>
  all.map((cut) =>
    cut.type === "transaction" ? cut.entries.map(({ revision }) => revision) : cut.type,
  );
const taken = (items: readonly FeedItem[]) => {
  const boundary = cuts();
  return items.map((item) => ends(boundary.take(item)));
};

describe("a cut", () => {
  test("is a transaction", () => {
    const [first, last] = [
      { key: "a", index: 1, count: 2 },
      { key: "b", index: 2, count: 2 },
    ];
    expect(taken([loaded(3), message(4, first), message(5, last)])).toEqual([
      ["loaded"],
      [],
      [[4, 5]],
    ]);
  });

  test("is not ended by a gap before what hides it has come", () => {
    const items = [loaded(3), message(6), stored(8, 6), message(7), message(8), message(9)];
    expect(taken(items)).toEqual([["loaded"], [], [], [], [[6, 7, 8]], [[9]]]);
  });

  test("is not ended by a gap while it is not known what had been stored", () => {
    const items = [loaded(3), message(6), message(7), message(8), stored(7, 6), message(9)];
    expect(taken(items)).toEqual([["loaded"], [], [], [], [[6, 7, 8]], [[9]]]);
  });

  test("is not ended by what had been stored before the gap showed", () => {
    const items = [loaded(3), message(4), message(6), stored(6, 4), stored(7, 6), message(7)];
    expect(taken(items)).toEqual([["loaded"], [[4]], [], [], [], [[6, 7]]]);
  });

  test("waits for the end of the transaction that hides a gap", () => {
    const items = [
      loaded(3),
      message(5),
      stored(6, 5),
      message(6, { key: "a", index: 1, count: 2 }),
      message(7, { key: "b", index: 2, count: 2 }),
    ];
    expect(taken(items)).toEqual([["loaded"], [], [], [], [[5, 6, 7]]]);
  });

  test("waits anew where another gap shows", () => {
    const items = [loaded(3), message(5), stored(7, 5), message(7), stored(8, 7), message(8)];
    expect(taken(items)).toEqual([["loaded"], [], [], [], [], [[5, 7, 8]]]);
  });

  test("ends where nothing is pending, whatever was counted", () => {
    const idle: FeedItem = { type: "idle", revision: 9 };
    expect(taken([loaded(3), message(5), idle])).toEqual([["loaded"], [], [[5], "idle"]]);
  });

  test("is not waited for for ever", () => {
    const boundary = cuts();
    boundary.take(loaded(1));
    const all = () => {
      for (let revision = 3; revision < 200_000; revision += 2) boundary.take(message(revision));
    };
    expect(all).toThrow(LagsTooFar);
  });

  test("is a state that was, whatever is purged before it is sent, and when", () => {
    const keys = ["a", "b", "c"] as const;
    const writes = fc.array(fc.uniqueArray(fc.constantFrom(...keys), { minLength: 1 }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(writes, fc.infiniteStream(fc.nat(4)), (transactions, storedMore) => {
        const log = transactions
          .flatMap((of, nth) =>
            of.map((key, at) => ({ nth: nth + 1, key, index: at + 1, count: of.length })),
          )
          .map((one, at): Message => ({ ...one, at: at + 1 }));
        // What each key holds after each transaction.
        const states: Record<string, number>[] = [{}];
        for (const { nth, key, at } of log)
          states[nth] = { ...(states[nth] ?? states[nth - 1]), [key]: at };
        const known = new Set(states.map((state) => JSON.stringify(inOrder(state))));
        const boundary = cuts();
        boundary.take(loaded(0));
        const seen: Record<string, number> = {};
        let there: Message[] = [];
        const shows = (all: readonly Cut[]) => {
          for (const cut of all) {
            if (cut.type !== "transaction") continue;
            for (const { key, revision } of cut.entries) seen[key] = revision;
            expect(known).toContain(JSON.stringify(inOrder(seen)));
          }
        };
        // What was asked at a place, and is answered later.
        let asked: { readonly after: number; readonly last: number } | undefined;
        let head = 0;
        for (const one of log) {
          const { nth, at } = one;
          // More transactions are stored before this message is sent.
          const upTo = Math.max(nth, there.at(-1)?.nth ?? 0) + Number(storedMore.next().value);
          there = log.filter((other) => other.nth <= upTo);
          const isThere = ({ key, at: of }: Message) =>
            !there.some((later) => later.key === key && later.at > of);
          if (!isThere(one)) continue;
          shows(boundary.take(message(at, one)));
          const isGap = at > head + 1;
          head = at;
          if (isGap) asked = { after: at, last: there.length };
          if (asked === undefined || Number(storedMore.next().value) > 1) continue;
          shows(boundary.take(stored(asked.last, asked.after)));
          asked = undefined;
        }
        if (asked !== undefined) shows(boundary.take(stored(asked.last, asked.after)));
        expect(inOrder(seen)).toEqual(inOrder(states.at(-1) ?? {}));
      }),
    );
  });
});

/** Of the `nth` transaction, with the revision `at`. */
type Message = Required<Written> & { readonly nth: number; readonly at: number };

const inOrder = (state: Record<string, number>) =>
  Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1));
