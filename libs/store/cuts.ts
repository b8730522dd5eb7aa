/**
 * Where one cut ends and the next begins (S1): a feed's items as whole transactions.
 *
 * Where revisions are missing between two that come, a later write purged them before they were sent. What
 * was sent since shows some keys as they were before those, and others as they were after: no state that
 * ever was. So no cut ends until all has come that the stream is found to have stored once the gap has
 * shown, the later writes among it; what is complete by then is one cut.
 */
import type { Entry, FeedItem, Revision } from "./store.ts";

export type Cut =
  /** The entries of one transaction or more, as far as they still exist, in their order. */
  | { readonly type: "transaction"; readonly entries: readonly Entry[] }
  /** Nothing but `revision` moved. */
  | { readonly type: "idle"; readonly revision: Revision }
  /** The load is complete with what came before. */
  | { readonly type: "loaded"; readonly revision: Revision }
  | { readonly type: "reset" };

export type Cuts = {
  /**
   * What is complete now that `item` has come, in order.
   *
   * @throws {LagsTooFar} when too much has come since a gap
   */
  take(item: FeedItem): readonly Cut[];
};

/** It is to be loaded anew. */
export class LagsTooFar extends Error {
  override readonly name = "LagsTooFar";
}

/** Entries of transactions that wait for what a gap hides. */
const heldMax = 50_000;

export function cuts(): Cuts {
  let open: Entry[] = [];
  /** Complete, and no cut yet. */
  let held: Entry[] = [];
  /** The last gap: the entry after it, and how far the stream was then, once that is known. */
  let gap: { readonly at: Revision; readonly until: Revision | undefined } | undefined;
  /** All up to it has come, or is gone; undefined: it loads. */
  let head: Revision | undefined;
  /** The load is complete, but a transaction is open across its end. */
  let loadedAt: Revision | undefined;

  function close(): void {
    held.push(...open);
    open = [];
    if (held.length > heldMax && head !== undefined) throw new LagsTooFar("the feed lags too far");
  }

  /** What has been closed, as a cut, where one may end. */
  function cut(): readonly Cut[] {
    if (gap !== undefined || open.length > 0) return [];
    const entries = held;
    held = [];
    const closed: Cut[] = entries.length === 0 ? [] : [{ type: "transaction", entries }];
    if (loadedAt === undefined) return closed;
    const revision = Math.max(loadedAt, entries.at(-1)?.revision ?? 0);
    loadedAt = undefined;
    return [...closed, { type: "loaded", revision }];
  }

  function takeEntry(entry: Entry): readonly Cut[] {
    const [first] = open;
    const isNext = first !== undefined && first.tx.id !== entry.tx.id;
    if (isNext) close();
    const isGap = head !== undefined && entry.revision > head + 1;
    // Unless a gap needs this entry, what came before is complete without it.
    const before = isNext && !isGap ? cut() : [];
    if (isGap) gap = { at: entry.revision, until: undefined };
    else if (gap?.until !== undefined && entry.revision >= gap.until) gap = undefined;
    if (head !== undefined) head = entry.revision;
    open.push(entry);
    if (entry.tx.index >= entry.tx.count) close();
    return [...before, ...cut()];
  }

  /** The stream has reached `revision`, and all up to it has come. */
  function reached(revision: Revision): void {
    gap = undefined;
    if (head !== undefined) head = Math.max(head, revision);
    const last = open.at(-1);
    if (last === undefined) return;
    if (revision >= last.revision + last.tx.count - last.tx.index) close();
  }

  return {
    take(item) {
      switch (item.type) {
        case "entry":
          return takeEntry(item.entry);
        case "stored":
          if (gap === undefined || item.after < gap.at) return [];
          gap = (head ?? 0) >= item.revision ? undefined : { ...gap, until: item.revision };
          return cut();
        case "idle": {
          reached(item.revision);
          const closed = cut();
          return open.length > 0 ? closed : [...closed, { type: "idle", revision: item.revision }];
        }
        case "loaded":
          reached(item.revision);
          loadedAt = item.revision;
          head = item.revision;
          return cut();
        case "reset":
          [open, held, gap] = [[], [], undefined];
          [head, loadedAt] = [undefined, undefined];
          return [{ type: "reset" }];
        default:
          return item satisfies never;
      }
    },
  };
}
