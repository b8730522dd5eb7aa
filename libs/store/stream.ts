/**
 * What a store needs of an ordered log with expectations: JetStream's behaviour, named. The commit
 * logic (`group-commit.ts`) stands on this, so it is the same on a real server and in memory.
 */
import type { Life, LifeOptions } from "./life.ts";
import type { Entry, Revision } from "./store.ts";

/** One message to append. */
export type Draft = {
  readonly key: string;
  readonly deleted: boolean;
  readonly value: Uint8Array;
  /** One a message: of its own key, or of another in its place (a guard). */
  readonly expect: { readonly key: string; readonly revision: Revision } | undefined;
  readonly tx: Entry["tx"];
  readonly previous: Revision;
  readonly cut: Revision;
};

export type Answer =
  | {
      readonly type: "stored";
      /** Of the last draft; the others precede it without a gap. */
      readonly revision: Revision;
    }
  /** An expectation did not hold, or the server believed so (S7). Nothing was stored. */
  | { readonly type: "refused" }
  /** Nothing was stored. `permanent`: these drafts never will be. */
  | { readonly type: "rejected"; readonly reason: string; readonly permanent: boolean }
  /** No answer: stored or not (S4). */
  | { readonly type: "silent" };

export interface Stream extends AsyncDisposable {
  /** Appends all of `drafts` or none; expectations see what is stored, not each other (S8). */
  append(drafts: readonly Draft[]): Promise<Answer>;

  /**
   * The newest entries of `keys` (≤ 1,024), all as of one moment, which may lie in the past (S5).
   *
   * @throws {StoreUnavailable} when no answer came
   */
  newest(keys: readonly string[]): Promise<ReadonlyMap<string, Entry>>;

  /** The key's newest entry, from the stream's leader. @throws {StoreUnavailable} */
  last(key: string): Promise<Entry | undefined>;

  /** The key's first recorded entry after `after`, hidden ones too. @throws {StoreUnavailable} */
  next(key: string, after: Revision): Promise<Entry | undefined>;

  /** @throws {StoreUnavailable} when no answer came */
  lastRevision(): Promise<Revision>;

  /** Whether nothing was stored after `revision`. @throws {StoreUnavailable} when no answer came */
  isLast(revision: Revision): Promise<boolean>;

  /** The first recorded entry of any key after `after`. @throws {StoreUnavailable} */
  nextOfAll(after: Revision): Promise<Entry | undefined>;

  /**
   * The newest recorded entries of `keys` (≤ 1,024) that are no later than `at`, of one copy, which may
   * lag. @throws {StoreUnavailable}
   */
  recorded(keys: readonly string[], at: Revision): Promise<ReadonlyMap<string, Entry>>;

  /** The entry at `revision`, where the record or the state still holds it. @throws {StoreUnavailable} */
  at(revision: Revision): Promise<Entry | undefined>;

  /** A consumer of the newest entries, or of the record. @throws {StoreUnavailable} */
  begin(source: "state" | "history", options: LifeOptions): Promise<Life>;

  /** How long a delete's marker stays (S6). */
  readonly tombstoneMs: number;
}
