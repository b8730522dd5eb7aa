/**
 * An in-memory copy of the state, fed by one feed: a consistent cut that moves forward one whole
 * transaction at a time (S1), so whatever is read synchronously is a state that the cluster was in.
 *
 * It knows keys, decoded values and indexes; what they mean is `libs/cluster`'s business.
 */
import type { Entry, Revision } from "./store.ts";

/** A live key of the cut. */
export type Held<T> = {
  readonly key: string;
  readonly value: T;
  readonly revision: Revision;
};

/** One key's change; both absent never. For a delete `last` is what its marker carried (S9). */
export type Change<T> = {
  readonly key: string;
  readonly revision: Revision;
  readonly before: Held<T> | undefined;
  readonly after: Held<T> | undefined;
  readonly last: T | undefined;
};

/** The changes that moved the replica from one cut to the next: a whole transaction, or a (re)load. */
export type Advance<T> = {
  readonly revision: Revision;
  readonly changes: readonly Change<T>[];
  /** What was delivered, whole, as it came; none for a load. What no entry shows was purged before. */
  readonly entries: readonly Entry[];
  /** A load: `changes` are the differences to what was held before, deletes among them. */
  readonly loaded: boolean;
};

/** What can be read of a cut. Valid until control returns to the event loop. */
export interface View<T> {
  readonly revision: Revision;
  get(key: string): Held<T> | undefined;
  /** The revision of the key's newest entry, a tombstone's too; 0 when none is known. */
  revisionOf(key: string): Revision;
  /** Live keys that begin with `prefix` (whole key tokens, such as `pods.default.`), in no order. */
  scan(prefix: string): Iterable<Held<T>>;
  /** Live keys whose index `name` has `value`, in no order. */
  lookup(index: string, value: string): Iterable<Held<T>>;
  /** How many `lookup` would give. */
  count(index: string, value: string): number;
}

export type ReplicaOptions<T> = {
  /** `undefined`: the key is not held (it still moves the revision). Throwing resets nothing: it is logged. */
  readonly decode: (entry: Entry) => T | undefined;
  /** Index name → the values under which a key is found. */
  readonly indexes: Readonly<Record<string, (held: Held<T>) => Iterable<string>>>;
};

export interface Replica<T> extends View<T>, AsyncDisposable {
  /**
   * Resolves when the cut is at `revision` or later.
   *
   * @throws {ReplicaLagging} when `timeoutMs` (default 5,000) passes first
   */
  caughtUp(
    revision: Revision,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<void>;
  /** Calls `listener` synchronously after each advance, until disposed. */
  subscribe(listener: (advance: Advance<T>) => void): Disposable;
}

export class ReplicaLagging extends Error {
  override readonly name = "ReplicaLagging";
}
