/** The store's record as changes: each entry with what its key held before (W1). */
import { decode } from "../../../libs/cluster/view.ts";
import type { Change, Held } from "../../../libs/store/replica.ts";
import {
  type Entry,
  HistoryExpired,
  type Revision,
  type Store,
  StoreUnavailable,
} from "../../../libs/store/store.ts";

/** What a key held from a revision on: nothing, after a delete. */
export type KeyState = { readonly revision: Revision; readonly held: Held<unknown> | undefined };

/** What an entry did to a key that held `before`; undefined when it was not there, and is not. */
export function changeOf(
  entry: Entry,
  before: Held<unknown> | undefined,
): Change<unknown> | undefined {
  const { key, revision } = entry;
  const { held: after } = stateAfter(entry);
  if (before === undefined && after === undefined) return undefined;
  const last = entry.deleted ? decode(entry) : undefined;
  return { key, revision, before, after, last };
}

export function stateAfter(entry: Entry): KeyState {
  const { key, revision } = entry;
  const value = entry.deleted ? undefined : decode(entry);
  return { revision, held: value === undefined ? undefined : { key, revision, value } };
}

/**
 * Every change after `after` up to `upTo`, and what the keys that changed hold then.
 *
 * @param before what a key held at `after`; undefined where it held nothing
 * @throws {HistoryExpired} when the record does not hold all of them
 * @throws {StoreUnavailable} when it cannot be read, or not before `signal` aborts
 */
export async function recordedChanges(
  store: Pick<Store, "history">,
  {
    after,
    upTo,
    before,
    signal,
  }: {
    readonly after: Revision;
    readonly upTo: Revision;
    readonly before: (key: string) => KeyState | undefined;
    readonly signal: AbortSignal;
  },
): Promise<{
  readonly changes: readonly Change<unknown>[];
  readonly states: ReadonlyMap<string, KeyState>;
}> {
  const changes: Change<unknown>[] = [];
  const states = new Map<string, KeyState>();
  // All keys' revisions follow one another: of a key that is not written again nothing else tells.
  let last = after;
  for await (const entry of store.history({ after, upTo, signal })) {
    if (entry.revision !== last + 1) throw new HistoryExpired("a revision is not recorded");
    last = entry.revision;
    const was = states.get(entry.key) ?? before(entry.key);
    requireNoGap(entry, { seen: was?.revision, after });
    const change = changeOf(entry, was?.held);
    if (change !== undefined) changes.push(change);
    states.set(entry.key, stateAfter(entry));
  }
  if (signal.aborted) throw new StoreUnavailable("the record was not read in time");
  if (last < upTo) throw new HistoryExpired("the last revisions are not recorded");
  return { changes, states };
}

/**
 * @param seen the revision that the key was at, where an entry or a state showed one
 * @param after where the range begins: what was before is told by nobody, and need not be
 * @throws {HistoryExpired} when the entry names another one before it than was seen
 */
export function requireNoGap(
  { previous }: Entry,
  { seen, after }: { readonly seen: Revision | undefined; readonly after: Revision },
): void {
  // An expiry of the server's does not say what was before.
  if (previous === 0 || previous === seen) return;
  if (seen === undefined && previous <= after) return;
  throw new HistoryExpired("a change is not recorded");
}
