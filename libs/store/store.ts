/**
 * The cluster's durable state: keys and values under one revision, changed by transactions.
 *
 * This file is the port. `nats.ts` keeps it on JetStream, `memory.ts` in this process; both pass
 * `contract.ts`. What the values mean is `libs/cluster`'s business.
 *
 *     const outcome = await store.commit([{ op: "put", key: "pods.default.web", expect: "absent", value }]);
 *     if (!outcome.ok) await replica.caughtUp(outcome.revision ?? (await store.lastRevision())); // and decide again
 */

/** The stream sequence of a write: one order over all keys. 0 is before every write. */
export type Revision = number;

export type Entry = {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: Revision;
  /** A delete: `value` is the object's last state (S9). An expiry of the server's has an empty one. */
  readonly deleted: boolean;
  /** When the server stored it, milliseconds since the Unix epoch. */
  readonly storedAtMs: number;
  /** Its place in its transaction, `index` from 1: a cut rests on the last (S1). */
  readonly tx: { readonly id: string; readonly index: number; readonly count: number };
  /** The key's revision before this one (`Berth-Prev`, W1); 0 where there was none. */
  readonly previous: Revision;
  /** The revision that the writer decided at (`Berth-Cut`); 0 when it did not say. */
  readonly cut: Revision;
};

/** `expect` is the key's revision as last read; "absent" also holds over a tombstone (S6). */
type Target = {
  readonly key: string;
  readonly expect: Revision | "absent";
  /**
   * Its expectation follows from those of the transaction's other ops, as a bind's `assign` key
   * follows from its pod: a guard may take its place on the message. Checked only as last seen.
   */
  readonly covered?: true;
};
export type Op =
  | (Target & { readonly op: "put"; readonly value: Uint8Array })
  | (Target & { readonly op: "delete"; readonly last: Uint8Array })
  /** Holds only if `key` has not moved; rides on another op's message (design §3). */
  | (Target & { readonly op: "guard" });

export type Outcome =
  | {
      readonly ok: true;
      /** Of the transaction's last write. */
      readonly revision: Revision;
    }
  | {
      readonly ok: false;
      /** A key whose expectation did not hold. */
      readonly conflict: string;
      /**
       * That key's revision as the store has it, where it is known: wait for it, decide again. Without
       * it wait for the newest of all: what moved the key may have been purged before a replica saw it.
       */
      readonly revision?: Revision;
    };

/** No answer came in time: the transaction may or may not have been committed (S4). */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The transaction can never be committed: too many ops, too many bytes, a key that cannot be held. */
export class InvalidTransaction extends Error {
  override readonly name = "InvalidTransaction";
}

export type CommitOptions = {
  readonly signal?: AbortSignal;
  /** The revision that the ops were decided at; kept with each write. */
  readonly cut?: Revision;
  /** The transaction's id; by default a new one. The same id with the same ops is committed once. */
  readonly id?: string;
};

/** What a feed says, in this order for each message: first the entry, then what is known of the end. */
export type FeedItem =
  | {
      readonly type: "entry";
      readonly entry: Entry;
    }
  /** The stream had reached `revision` when all up to `after` had come: said after a gap (S1). */
  | { readonly type: "stored"; readonly revision: Revision; readonly after: Revision }
  /** The load, or the load after a reset, is complete: all keys as of `revision` have come. */
  | { readonly type: "loaded"; readonly revision: Revision }
  /** Nothing is pending, and the stream has reached `revision`: the third way to end a cut (S1). */
  | { readonly type: "idle"; readonly revision: Revision }
  /** The feed cannot go on from where it was (gap, stream lost, lag over the marker's life): load again. */
  | { readonly type: "reset" };

export interface Store extends AsyncDisposable {
  /**
   * Commits all of `ops` or none. A lost race is an outcome, not an error.
   *
   * An answer that does not come is settled inside by S4, until `signal` aborts or a bound of
   * 30 s passes.
   *
   * @param ops 1 to 1,000 writes of distinct keys (and guards), together at most 6 MB
   * @throws {StoreUnavailable} when it could not be settled: it may have been committed
   * @throws {InvalidTransaction} when it can never be
   */
  commit(ops: readonly Op[], options?: CommitOptions): Promise<Outcome>;

  /** The key's newest entry, tombstones included; `undefined` where there is none. */
  get(key: string): Promise<Entry | undefined>;

  /** The revision of the newest write of all. A consistent read waits for a replica to reach it. */
  lastRevision(): Promise<Revision>;

  /** Whether nothing was stored after `revision`: of one server a quicker question than for the last one. */
  isLast(revision: Revision): Promise<boolean>;

  /**
   * The newest entry of every key, then every change after it as the server sends it: the raw
   * material of a replica. Messages of one transaction may arrive torn over time. Reconnects by
   * itself; says `reset` when it had to start over, after which all keys come again.
   *
   * @param options.after 0: load everything first; otherwise resume after that revision
   */
  feed(options: {
    readonly after: Revision;
    readonly signal: AbortSignal;
  }): AsyncIterable<FeedItem>;

  /**
   * Every recorded revision after `after`, deleted objects too, up to `upTo`, in order (from
   * `history`; W2).
   *
   * @throws {HistoryExpired} when the record begins later than `after`
   */
  history(options: {
    readonly after: Revision;
    readonly upTo: Revision;
    /** Only keys that begin with it. */
    readonly prefix?: string;
    readonly signal?: AbortSignal;
  }): AsyncIterable<Entry>;

  /**
   * Of each of `keys` its newest recorded entry that is no later than `at`, tombstones included. A copy
   * that lags, or a record that has lost it, gives an older one or none: compare it with the `previous`
   * of what came next.
   *
   * @throws {StoreUnavailable}
   */
  recorded(keys: readonly string[], at: Revision): Promise<ReadonlyMap<string, Entry>>;

  /** The entry at exactly `revision`, where the record or the state still holds it. */
  recordedAt(revision: Revision): Promise<Entry | undefined>;
}

/** The record does not reach back that far; Kubernetes says 410 Expired. */
export class HistoryExpired extends Error {
  override readonly name = "HistoryExpired";
  /** The first revision that it holds, where that is known. */
  readonly first: Revision | undefined;

  constructor(message: string, first?: Revision) {
    super(message);
    this.first = first;
  }
}
