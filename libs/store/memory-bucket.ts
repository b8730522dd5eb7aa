/**
 * A bucket as JetStream keeps it, in this process: expectations that see only what is stored, depth,
 * rollups, markers that expire without a word, and a record of every revision beside it.
 */
import type { Clock } from "../telemetry/clock.ts";
import type { Entry, Revision } from "./store.ts";
import type { Answer, Draft } from "./stream.ts";

export type MemoryBucketOptions = {
  readonly clock: Clock;
  /** Revisions a key keeps. */
  readonly depth?: number;
  readonly tombstoneMs?: number;
  /** Revisions that the record keeps. */
  readonly recorded?: number;
};

export type MemoryBucket = {
  readonly tombstoneMs: number;
  /** All of `drafts` or none. */
  append(drafts: readonly Draft[]): Extract<Answer, { type: "stored" | "refused" | "rejected" }>;
  /** The key's newest entry that is no later than `at`, as far as it is kept. */
  newest(key: string, at?: Revision): Entry | undefined;
  /** The sequences of the newest entries of all keys, in order. */
  newestOfAll(): readonly Revision[];
  /** The first stored entry after `after`. */
  after(after: Revision): Entry | undefined;
  /** What is still stored under a sequence. */
  at(revision: Revision): Entry | undefined;
  /** The record, whole: every revision from its first on. */
  recordedAfter(after: Revision, key?: string): Entry | undefined;
  /** The key's newest entry of the record that is no later than `at`. */
  recordedUpTo(at: Revision, key: string): Entry | undefined;
  /** How many entries follow `after`. */
  pending(after: Revision): number;
  last(): Revision;
  firstRecorded(): Revision;
  /** Calls `listener` after each append, until disposed. */
  onAppend(listener: () => void): Disposable;
};

export function memoryBucket({
  clock,
  depth = 16,
  tombstoneMs = 3_600_000,
  recorded = 1_000_000,
}: MemoryBucketOptions): MemoryBucket {
  /** By sequence, ascending; the last entry of each key is its newest. */
  const stored = new Map<Revision, Entry>();
  const byKey = new Map<string, Revision[]>();
  const record: Entry[] = [];
  const markers: Revision[] = [];
  const listeners = new Set<() => void>();
  let last: Revision = 0;
  let dropped = 0;

  /** Markers whose time is over are gone, and nobody is told (S6). */
  function expire(): void {
    for (let oldest = markers[0]; oldest !== undefined; oldest = markers[0]) {
      const marker = stored.get(oldest);
      if (marker !== undefined && marker.storedAtMs + tombstoneMs > clock.now()) return;
      markers.shift();
      if (marker !== undefined) remove(marker);
    }
  }

  function remove({ key, revision }: Entry): void {
    stored.delete(revision);
    const left = (byKey.get(key) ?? []).filter((held) => held !== revision);
    if (left.length === 0) byKey.delete(key);
    else byKey.set(key, left);
  }

  const lastOf = (key: string): Revision => byKey.get(key)?.at(-1) ?? 0;

  function store(draft: Draft): void {
    last += 1;
    const { key, value, deleted, tx, previous, cut } = draft;
    const entry: Entry = {
      key,
      value: value.slice(),
      revision: last,
      deleted,
      storedAtMs: clock.now(),
      tx,
      previous,
      cut,
    };
    const kept = deleted ? 0 : depth - 1;
    const held = byKey.get(key) ?? [];
    for (const revision of held.slice(0, Math.max(0, held.length - kept))) stored.delete(revision);
    stored.set(last, entry);
    byKey.set(key, [...(kept === 0 ? [] : held.slice(-kept)), last]);
    if (deleted) markers.push(last);
    record.push(entry);
    if (record.length <= recorded * 1.1) return;
    dropped += record.length - recorded;
    record.splice(0, record.length - recorded);
  }

  return {
    tombstoneMs,
    append(drafts) {
      expire();
      const written = new Set<string>();
      for (const { key, expect } of drafts) {
        if (expect !== undefined) {
          // A batch cannot expect of what it has written before.
          if (written.has(expect.key)) return { type: "refused" };
          if (lastOf(expect.key) !== expect.revision) return { type: "refused" };
        }
        written.add(key);
      }
      for (const draft of drafts) store(draft);
      for (const listener of listeners) listener();
      return { type: "stored", revision: last };
    },
    newest(key, at = last) {
      expire();
      const revision = (byKey.get(key) ?? []).findLast((held) => held <= at);
      return revision === undefined ? undefined : stored.get(revision);
    },
    newestOfAll() {
      expire();
      return [...byKey.values()].map((held) => held.at(-1) ?? 0).toSorted((a, b) => a - b);
    },
    at(revision) {
      expire();
      return stored.get(revision);
    },
    after(after) {
      expire();
      for (let revision = after + 1; revision <= last; revision += 1) {
        const entry = stored.get(revision);
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
    recordedAfter(after, key) {
      const from = Math.max(0, after - dropped);
      if (key === undefined) return record[from];
      return record.slice(from).find((entry) => entry.key === key);
    },
    recordedUpTo: (at, key) =>
      record.findLast((entry) => entry.key === key && entry.revision <= at),
    pending: (after) => Math.max(0, last - after),
    last: () => last,
    firstRecorded: () => dropped + 1,
    onAppend(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}
