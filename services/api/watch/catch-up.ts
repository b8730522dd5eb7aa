import type { Change } from "../../../libs/store/replica.ts";
import {
  type Entry,
  HistoryExpired,
  type Revision,
  type Store,
} from "../../../libs/store/store.ts";
import { changeOf, type KeyState, requireNoGap, stateAfter } from "./recorded-changes.ts";

/** Entries whose keys' earlier states are asked for together. */
const windowMax = 500;
/** Earlier states that are asked for one by one, as the record has them no more. */
const singlesMax = 200;

type Range = {
  readonly after: Revision;
  readonly upTo: Revision;
  readonly prefix: string;
  readonly signal: AbortSignal;
};
type Source = Pick<Store, "history" | "recorded" | "recordedAt">;

/**
 * The changes of keys under `prefix` after `after` and up to `upTo`, from the store's record (W2), each
 * with what the key held before: as seen on the way, or read at the revision that the entry names (W1).
 *
 * @throws {HistoryExpired} when the record does not reach back that far, or lacks what is needed
 */
export async function* catchUp(store: Source, range: Range): AsyncIterable<Change<unknown>> {
  const states = new Map<string, KeyState>();
  const before = earlierStates(store, range.after);
  for await (const window of windowsOf(store.history(range))) {
    const first = window.filter(
      ({ key }, at) => !states.has(key) && window.findIndex((entry) => entry.key === key) === at,
    );
    for (const entry of first) requireNoGap(entry, { seen: undefined, after: range.after });
    for (const [key, state] of await before(first)) states.set(key, state);
    for (const entry of window) {
      const was = states.get(entry.key);
      requireNoGap(entry, { seen: was?.revision, after: range.after });
      states.set(entry.key, stateAfter(entry));
      const change = changeOf(entry, was?.held);
      if (change !== undefined) yield change;
    }
  }
}

async function* windowsOf(entries: AsyncIterable<Entry>): AsyncIterable<readonly Entry[]> {
  let window: Entry[] = [];
  for await (const entry of entries) {
    window.push(entry);
    if (window.length < windowMax) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

/** What the keys of entries held before them; keys that were not there are left out. */
function earlierStates(store: Source, after: Revision) {
  let singles = 0;
  return async (entries: readonly Entry[]): Promise<ReadonlyMap<string, KeyState>> => {
    const changed = entries.filter(({ previous }) => previous > 0);
    const keys = changed.map(({ key }) => key);
    const recorded =
      keys.length === 0 ? new Map<string, Entry>() : await store.recorded(keys, after);
    const states = new Map<string, KeyState>();
    for (const entry of changed) {
      const { key, previous } = entry;
      let found = recorded.get(key);
      if (found?.revision !== previous) {
        singles += 1;
        if (singles > singlesMax) throw new HistoryExpired("too much has changed since");
        found = await store.recordedAt(previous);
      }
      // What is gone from both: a marker carries the last state of what it deleted (S9).
      if (found?.key !== key && entry.deleted) found = { ...entry, deleted: false };
      if (found?.key !== key) throw new HistoryExpired("a state that is needed is not recorded");
      states.set(key, { ...stateAfter(found), revision: previous });
    }
    return states;
  };
}
