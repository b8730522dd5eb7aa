/**
 * The watch cache (W1): the last changes of a replica with what each key held before, from which all
 * watches of this gateway are served, and from which a list at a recent revision is rebuilt.
 *
 * It holds every change in order. What the replica's feed skipped, because it was purged before it was
 * delivered or while the replica was loaded anew, shows as a hole in the revisions, and is read from
 * the store's record; what comes meanwhile waits. What the record lacks, too, nobody gets: watches end
 * with 410.
 */
import type { Advance, Change, Held, Replica } from "../../../libs/store/replica.ts";
import {
  HistoryExpired,
  type Revision,
  type Store,
  StoreUnavailable,
} from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { changeOf, type KeyState, recordedChanges } from "./recorded-changes.ts";

/** Changes that are kept; older ones are in the store's history. */
const keptMax = 10_000;
/** Revisions that are read from the record at once, and changes that wait for them. */
const missedMax = 2 * keptMax;
const repairWithinMs = 10_000;

export interface ChangeRing extends Disposable {
  /** Every change after it is held. */
  readonly base: Revision;
  /** Every change up to it is held. */
  readonly revision: Revision;
  /** The held changes after `revision` of keys that begin with `prefix`; undefined when some are not held. */
  after(revision: Revision, prefix: string): readonly Change<unknown>[] | undefined;
  /**
   * Calls `listener` synchronously with each later change of a key that begins with `prefix`, and
   * `lost` once when changes were missed for good.
   */
  follow(
    prefix: string,
    listener: { readonly changed: (change: Change<unknown>) => void; readonly lost: () => void },
  ): Disposable;
  /** Resolves when it holds what the replica shows. */
  settled(): Promise<void>;
}

export type RingPorts = {
  readonly store: Pick<Store, "history">;
  readonly clock: Clock;
  readonly log: Log;
};

export function changeRing(
  replica: Pick<Replica<unknown>, "revision" | "subscribe" | "get">,
  { store, clock, log }: RingPorts,
): ChangeRing {
  let changes: Change<unknown>[] = [];
  let base = replica.revision;
  /** Every change up to it is in `changes`, or before `base`. */
  let head = base;
  /** What came while something older is read from the record. */
  let queue: Advance<unknown>[] = [];
  /** What the replica held of each key that changes in it, before that. */
  let heldBeforeQueue = new Map<string, Held<unknown> | undefined>();
  let isRepairing = false;
  /** Rises when what was missed is given up. */
  let losses = 0;
  /** Keys that hold something else here than in the replica, which was not delivered it. */
  const differing = new Map<string, KeyState>();
  const followers = followersByResource();
  const closed = new AbortController();
  let waiting: (() => void)[] = [];

  function take(advance: Advance<unknown>): void {
    if (!isRepairing && follows(advance)) return apply(changesOf(advance), advance.revision);
    queue.push(advance);
    remember(advance);
    const queued = queue.reduce((sum, { entries }) => sum + entries.length, 0);
    if (queued > missedMax) lose(new HistoryExpired("too much was missed"));
    if (!isRepairing) repair().catch(lose);
  }

  function remember(advance: Advance<unknown>): void {
    for (const { key, before } of advance.changes) {
      if (!heldBeforeQueue.has(key)) heldBeforeQueue.set(key, before);
    }
  }

  /** What the replica held at the head, which may be older than what the ring knows. */
  function heldAtHead(key: string): Held<unknown> | undefined {
    return heldBeforeQueue.has(key) ? heldBeforeQueue.get(key) : replica.get(key);
  }

  /** Takes them off the queue. */
  function taken(count: number): void {
    queue = queue.slice(count);
    heldBeforeQueue = new Map();
    for (const advance of queue) remember(advance);
  }

  /** Whether nothing is missing between the head and its entries. */
  function follows({ entries, loaded, revision }: Advance<unknown>): boolean {
    if (loaded) return revision === head;
    return entries.every((entry, nth) => entry.revision === head + 1 + nth);
  }

  function changesOf({ entries, changes: seen }: Advance<unknown>): readonly Change<unknown>[] {
    if (differing.size === 0 || entries.length === 0) return seen;
    return entries.flatMap((entry) => {
      const state = differing.get(entry.key);
      if (state === undefined) return seen.filter(({ revision }) => revision === entry.revision);
      differing.delete(entry.key);
      return changeOf(entry, state.held) ?? [];
    });
  }

  function apply(found: readonly Change<unknown>[], upTo: Revision): void {
    head = upTo;
    for (const change of found) {
      changes.push(change);
      followers.tell(change);
    }
    if (changes.length > 2 * keptMax) {
      const dropped = changes.splice(0, changes.length - keptMax);
      base = dropped.at(-1)?.revision ?? base;
    }
  }

  async function repair(): Promise<void> {
    isRepairing = true;
    for (let next = queue[0]; next !== undefined && !closed.signal.aborted; next = queue[0]) {
      if (next.revision <= head || follows(next)) {
        const found = next.revision > head ? changesOf(next) : [];
        taken(1);
        apply(found, Math.max(head, next.revision));
        continue;
      }
      const turn = losses;
      try {
        await readMissed(queue, () => turn === losses);
      } catch (error) {
        if (turn === losses) lose(error);
      }
    }
    isRepairing = false;
    for (const done of waiting) done();
    waiting = [];
  }

  /** Takes what the record has up to the last of `shown` in place of what those show. */
  async function readMissed(
    shown: readonly Advance<unknown>[],
    isWanted: () => boolean,
  ): Promise<void> {
    const count = shown.length;
    const upTo = shown.at(-1)?.revision ?? head;
    // A load that ends before what was seen is of another stream.
    if (shown.some(({ loaded, revision }) => loaded && revision < head)) {
      throw new HistoryExpired("the state began anew");
    }
    if (upTo - head > missedMax) throw new HistoryExpired("too much was missed");
    const before = (key: string) => differing.get(key) ?? stateOf(heldAtHead(key));
    using limit = limitOf(clock, closed.signal);
    const range = { after: head, upTo, before, signal: limit.signal };
    const found = await recordedChanges(store, range);
    if (!isWanted()) return;
    taken(count);
    apply(found.changes, upTo);
    for (const [key, state] of found.states) {
      if (state.held?.revision === heldAtHead(key)?.revision) differing.delete(key);
      else differing.set(key, state);
    }
    log.debug({ upTo, changes: found.changes.length }, "missed changes were read from the record");
  }

  function lose(error: unknown): void {
    const isKnown = error instanceof HistoryExpired || error instanceof StoreUnavailable;
    if (isKnown) log.warn({ err: error, revision: head }, "changes were missed");
    else log.error({ err: error, revision: head }, "changes were missed");
    losses += 1;
    taken(queue.length);
    changes = [];
    differing.clear();
    base = replica.revision;
    head = base;
    followers.lost();
  }

  const subscription = replica.subscribe(take);
  return {
    get base() {
      return base;
    },
    get revision() {
      return isRepairing ? head : replica.revision;
    },
    after(revision, prefix) {
      if (revision < base) return undefined;
      return changes
        .slice(firstAfter(changes, revision))
        .filter(({ key }) => key.startsWith(prefix));
    },
    follow: (prefix, listener) => followers.add(prefix, listener),
    settled() {
      if (!isRepairing) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      closed.abort();
    },
  };
}

type Follower = Parameters<ChangeRing["follow"]>[1] & { readonly prefix: string };

/** By resource, the first token of a key: a change of a pod concerns no watch of nodes. */
function followersByResource() {
  const groups = new Map<string, Set<Follower>>();
  return {
    tell(change: Change<unknown>): void {
      for (const follower of groups.get(resourceOf(change.key)) ?? []) {
        if (change.key.startsWith(follower.prefix)) follower.changed(change);
      }
    },
    lost(): void {
      for (const follower of [...groups.values()].flatMap((group) => [...group])) follower.lost();
    },
    add(prefix: string, listener: Parameters<ChangeRing["follow"]>[1]): Disposable {
      const follower: Follower = { prefix, ...listener };
      const resource = resourceOf(prefix);
      const group = groups.get(resource) ?? new Set();
      groups.set(resource, group.add(follower));
      return {
        [Symbol.dispose]() {
          group.delete(follower);
          if (group.size === 0 && groups.get(resource) === group) groups.delete(resource);
        },
      };
    },
  };
}

/** Aborts with `outer`, or when a repair has taken too long. */
function limitOf(clock: Clock, outer: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const timer = clock.after(repairWithinMs, () => late.abort());
  return {
    signal: AbortSignal.any([outer, late.signal]),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}

const stateOf = (held: Held<unknown> | undefined): KeyState | undefined =>
  held === undefined ? undefined : { revision: held.revision, held };

/**
 * What a view's keys under `prefix` held at `revision`: what they hold now, with the later changes
 * taken back.
 *
 * @param later all of them, in their order
 */
export function heldBefore(
  now: Iterable<Held<unknown>>,
  later: readonly Change<unknown>[],
): readonly Held<unknown>[] {
  if (later.length === 0) return [...now];
  const held = new Map([...now].map((one) => [one.key, one]));
  for (const { key, before } of later.toReversed()) {
    if (before === undefined) held.delete(key);
    else held.set(key, before);
  }
  return [...held.values()];
}

const resourceOf = (key: string) => key.slice(0, key.indexOf("."));

/** The index of the first change after `revision`; changes are in the order of their revisions. */
function firstAfter(changes: readonly Change<unknown>[], revision: Revision): number {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
