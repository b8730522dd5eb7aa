/** A replica fed by the store: see `replica.ts` for what it promises. */
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { type Cut, cuts } from "./cuts.ts";
import { heldKeys } from "./held-keys.ts";
import {
  type Advance,
  type Change,
  type Held,
  type Replica,
  ReplicaLagging,
  type ReplicaOptions,
} from "./replica.ts";
import { type Entry, type Revision, type Store, StoreUnavailable } from "./store.ts";

export type OpenReplicaOptions<T> = ReplicaOptions<T> & {
  readonly log: Log;
  readonly clock: Clock;
  /** Ends the replica, as disposing of it does. */
  readonly signal: AbortSignal;
  /** How long the store keeps a delete's marker, and the replica its revision (S6). */
  readonly tombstoneMs?: number;
};

const caughtUpWithinMs = 5_000;
const pauseMs = 500;

/**
 * Resolves when everything is loaded.
 *
 * @throws {StoreUnavailable} when `signal` aborts before
 */
export async function openReplica<T>(
  store: Store,
  options: OpenReplicaOptions<T>,
): Promise<Replica<T>> {
  const { log, clock } = options;
  const closed = new AbortController();
  const signal = AbortSignal.any([options.signal, closed.signal]);
  const copy = copyOf(options);
  const waiting = new Set<{ readonly revision: Revision; readonly done: () => void }>();
  const listeners = new Set<(advance: Advance<T>) => void>();
  const loaded = Promise.withResolvers<void>();

  function announce(advance: Advance<T> | undefined): void {
    if (advance !== undefined) {
      for (const listener of listeners) {
        try {
          listener(advance);
        } catch (error) {
          log.error({ err: error, revision: advance.revision }, "replica listener failed");
        }
      }
      if (advance.loaded) loaded.resolve();
    }
    for (const waiter of waiting) if (waiter.revision <= copy.revision()) waiter.done();
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        const boundary = cuts();
        for await (const item of store.feed({ after: 0, signal })) {
          for (const cut of boundary.take(item)) announce(copy.apply(cut));
        }
      } catch (error) {
        log.error({ err: error }, "replica feed failed, loads again");
        await clock.sleep(pauseMs, signal);
      }
      copy.apply({ type: "reset" });
    }
  }

  const following = follow().finally(() => {
    loaded.reject(new StoreUnavailable("the replica was stopped before it was loaded"));
    for (const waiter of waiting) waiter.done();
  });
  await loaded.promise;

  return {
    get revision() {
      return copy.revision();
    },
    get: copy.get,
    revisionOf: copy.revisionOf,
    scan: copy.scan,
    lookup: copy.lookup,
    count: copy.count,
    caughtUp(revision, { signal: given, timeoutMs = caughtUpWithinMs } = {}) {
      if (copy.revision() >= revision) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const finish = () => {
          waiting.delete(waiter);
          timer[Symbol.dispose]();
          given?.removeEventListener("abort", finish);
          if (copy.revision() >= revision) resolve();
          else reject(new ReplicaLagging(`the replica is at ${copy.revision()}, not ${revision}`));
        };
        const waiter = { revision, done: finish };
        const timer = clock.after(timeoutMs, finish);
        waiting.add(waiter);
        given?.addEventListener("abort", finish, { once: true });
        if (signal.aborted || given?.aborted === true) finish();
      });
    },
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      await following;
    },
  };
}

/** The copy itself: applies cuts, tells what changed. */
function copyOf<T>({
  decode,
  indexes,
  log,
  clock,
  tombstoneMs = 3_600_000,
}: OpenReplicaOptions<T>) {
  const held = heldKeys<T>(indexes);
  /** Revisions of keys that are not held, in the order in which they came. */
  const unheld = new Map<string, { readonly revision: Revision; readonly storedAtMs: number }>();
  let revision: Revision = 0;
  /** While it loads: what has come so far. */
  let load: Map<string, Held<T> | Entry> | undefined = new Map();

  function decoded(entry: Entry): T | undefined {
    try {
      return decode(entry);
    } catch (error) {
      // Not its message: a parser's quotes what it read, which may be a Secret.
      const reason = error instanceof Error ? error.name : "unknown";
      log.error({ reason, key: entry.key, revision: entry.revision }, "entry cannot be read");
      return held.get(entry.key)?.value;
    }
  }

  /** Remembers the revision of a key that is not held: a tombstone's, or one that is not decoded. */
  function bury({ key, revision, storedAtMs }: Entry): void {
    unheld.delete(key);
    unheld.set(key, { revision, storedAtMs });
    // In order of burial: the markers that have expired in the store are first (S6).
    for (const [oldest, { storedAtMs }] of unheld) {
      if (storedAtMs + tombstoneMs > clock.now()) break;
      unheld.delete(oldest);
    }
  }

  function change(entry: Entry): Change<T> | undefined {
    const { key, revision, deleted } = entry;
    const before = held.get(key);
    const last = deleted && entry.value.length > 0 ? decoded(entry) : undefined;
    const value = deleted ? undefined : decoded(entry);
    const after = value === undefined ? undefined : { key, value, revision };
    if (after === undefined) {
      held.delete(key);
      bury(entry);
    } else {
      held.set(after);
      unheld.delete(key);
    }
    if (before === undefined && after === undefined) return undefined;
    return { key, revision, before, after, last };
  }

  function finishLoad(found: ReadonlyMap<string, Held<T> | Entry>, at: Revision): Advance<T> {
    const changes: Change<T>[] = [];
    const gone = [...held.all()].filter(({ key }) => !found.has(key));
    unheld.clear();
    for (const before of gone) {
      held.delete(before.key);
      changes.push({ key: before.key, revision: at, before, after: undefined, last: undefined });
    }
    for (const item of found.values()) {
      if (isEntry(item)) {
        const made = change(item);
        if (made !== undefined) changes.push(made);
        continue;
      }
      const before = held.get(item.key);
      if (before?.revision === item.revision) continue;
      held.set(item);
      changes.push({
        key: item.key,
        revision: item.revision,
        before,
        after: item,
        last: undefined,
      });
    }
    revision = at;
    return { revision, changes, entries: [], loaded: true };
  }

  /** Live entries are decoded as they come, so that the end of a long load is short. */
  function loading(entry: Entry): Held<T> | Entry {
    if (entry.deleted) return entry;
    const { key, revision } = entry;
    const value = decoded(entry);
    return value === undefined
      ? { ...entry, deleted: true, value: nothing }
      : { key, value, revision };
  }

  return {
    revision: () => revision,
    get: (key: string) => held.get(key),
    revisionOf: (key: string) => held.get(key)?.revision ?? unheld.get(key)?.revision ?? 0,
    scan: (prefix: string) => held.scan(prefix),
    lookup: (index: string, value: string) => held.lookup(index, value),
    count: (index: string, value: string) => held.count(index, value),
    apply(cut: Cut): Advance<T> | undefined {
      switch (cut.type) {
        case "transaction": {
          if (load !== undefined) {
            for (const entry of cut.entries) load.set(entry.key, loading(entry));
            return undefined;
          }
          const changes = cut.entries.map(change).filter((made) => made !== undefined);
          revision = cut.entries.at(-1)?.revision ?? revision;
          return { revision, changes, entries: cut.entries, loaded: false };
        }
        case "idle":
          if (load === undefined) revision = Math.max(revision, cut.revision);
          return undefined;
        case "loaded": {
          if (load === undefined) return undefined;
          const found = load;
          load = undefined;
          return finishLoad(found, cut.revision);
        }
        case "reset":
          load = new Map();
          return undefined;
        default:
          return cut satisfies never;
      }
    },
  };
}

const nothing = new Uint8Array();

const isEntry = <T>(item: Held<T> | Entry): item is Entry => "tx" in item;
