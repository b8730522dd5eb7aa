import { decode } from "../../../libs/cluster/view.ts";
import {
  type Entry,
  HistoryExpired,
  type Revision,
  type Store,
} from "../../../libs/store/store.ts";
import type { Change, Held } from "../../../libs/store/replica.ts";

/** Previous states that are fetched one by one before a catch-up is given up. */
const fetchedMax = 200;

/**
 * The changes of keys under `prefix` after `after` and up to `upTo`, from the store's history (W2),
 * each with what the key held before: as seen on the way, or fetched at the revision that the entry
 * names (W1).
 *
 * @throws {HistoryExpired} when the record does not reach back that far, or lacks a state that is needed
 */
export async function* catchUp(
  store: Pick<Store, "history">,
  {
    after,
    upTo,
    prefix,
    signal,
  }: {
    readonly after: Revision;
    readonly upTo: Revision;
    readonly prefix: string;
    readonly signal: AbortSignal;
  },
): AsyncIterable<Change<unknown>> {
  const seen = new Map<string, Held<unknown> | undefined>();
  let fetched = 0;
  for await (const entry of store.history({ after, upTo, prefix, signal })) {
    const { key, revision } = entry;
    let before = seen.get(key);
    if (!seen.has(key) && entry.previous > 0) {
      fetched += 1;
      if (fetched > fetchedMax) throw new HistoryExpired("too much has changed since");
      before = await stateAt(store, key, entry.previous, signal);
    }
    const value = decode(entry);
    const now = entry.deleted ? undefined : { key, revision, value };
    seen.set(key, now);
    if (before === undefined && now === undefined) continue;
    yield { key, revision, before, after: now, last: entry.deleted ? value : undefined };
  }
}

/** What `key` held at exactly `revision`; undefined for a tombstone. */
async function stateAt(
  store: Pick<Store, "history">,
  key: string,
  revision: Revision,
  signal: AbortSignal,
): Promise<Held<unknown> | undefined> {
  const found: Entry[] = [];
  const range = { after: revision - 1, upTo: revision, prefix: key, signal };
  for await (const entry of store.history(range)) {
    if (entry.key === key && entry.revision === revision) found.push(entry);
  }
  const [entry] = found;
  if (entry === undefined) throw new HistoryExpired("a state that is needed is not recorded");
  return entry.deleted ? undefined : { key, revision, value: decode(entry) };
}
