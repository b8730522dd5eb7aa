/**
 * The watch cache (W1): the last changes of a replica with what each key held before, from which all
 * watches of this gateway are served, and from which a list at a recent revision is rebuilt.
 */
import type { Change, Held, Replica } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";

/** Changes that are kept; older ones are in the store's history. */
const keptMax = 10_000;

export interface ChangeRing extends Disposable {
  /** Every change after it is held. */
  readonly base: Revision;
  /** The held changes after `revision` of keys that begin with `prefix`; undefined when some are not held. */
  after(revision: Revision, prefix: string): readonly Change<unknown>[] | undefined;
  /**
   * Calls `listener` synchronously with each later change of a key that begins with `prefix`, and
   * `lost` once when changes may have been missed (the replica was loaded anew).
   */
  follow(
    prefix: string,
    listener: { readonly changed: (change: Change<unknown>) => void; readonly lost: () => void },
  ): Disposable;
}

type Follower = Parameters<ChangeRing["follow"]>[1] & { readonly prefix: string };

export function changeRing(replica: Replica<unknown>): ChangeRing {
  let changes: Change<unknown>[] = [];
  let base = replica.revision;
  /** By resource, the first token of a key: a change of a pod concerns no watch of nodes. */
  const followers = new Map<string, Set<Follower>>();

  const subscription = replica.subscribe((advance) => {
    if (advance.loaded) {
      changes = [];
      base = advance.revision;
      const lost = [...followers.values()].flatMap((group) => [...group]);
      for (const follower of lost) follower.lost();
      return;
    }
    for (const change of advance.changes) {
      changes.push(change);
      for (const follower of followers.get(resourceOf(change.key)) ?? []) {
        if (change.key.startsWith(follower.prefix)) follower.changed(change);
      }
    }
    if (changes.length > 2 * keptMax) {
      const dropped = changes.splice(0, changes.length - keptMax);
      base = dropped.at(-1)?.revision ?? base;
    }
  });

  return {
    get base() {
      return base;
    },
    after(revision, prefix) {
      if (revision < base) return undefined;
      return changes
        .slice(firstAfter(changes, revision))
        .filter(({ key }) => key.startsWith(prefix));
    },
    follow(prefix, listener) {
      const follower: Follower = { prefix, ...listener };
      const resource = resourceOf(prefix);
      const group = followers.get(resource) ?? new Set();
      followers.set(resource, group.add(follower));
      return {
        [Symbol.dispose]() {
          group.delete(follower);
          if (group.size === 0 && followers.get(resource) === group) followers.delete(resource);
        },
      };
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

/**
 * What a view's keys under `prefix` held at `revision`: what they hold now, with the later changes
 * taken back.
 *
 * @returns undefined when the ring does not reach back that far
 */
export function heldAt(
  {
    ring,
    scan,
  }: {
    readonly ring: ChangeRing;
    readonly scan: (prefix: string) => Iterable<Held<unknown>>;
  },
  prefix: string,
  revision: Revision,
): readonly Held<unknown>[] | undefined {
  const later = ring.after(revision, prefix);
  if (later === undefined) return undefined;
  if (later.length === 0) return [...scan(prefix)];
  const held = new Map([...scan(prefix)].map((one) => [one.key, one]));
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
