/** Where one cut ends and the next begins (S1): a feed's items as whole transactions. */
import type { Entry, FeedItem, Revision } from "./store.ts";

export type Cut =
  /** The entries of one transaction, as far as they still exist, in their order. */
  | { readonly type: "transaction"; readonly entries: readonly Entry[] }
  /** Nothing but `revision` moved. */
  | { readonly type: "idle"; readonly revision: Revision }
  /** The load is complete with what came before. */
  | { readonly type: "loaded"; readonly revision: Revision }
  | { readonly type: "reset" };

export type Cuts = {
  /** What is complete now that `item` has come, in order. */
  take(item: FeedItem): readonly Cut[];
};

export function cuts(): Cuts {
  let open: Entry[] = [];
  /** The load is complete, but a transaction is open across its end. */
  let loadedAt: Revision | undefined;

  function close(): Cut[] {
    const closed: Cut[] = open.length === 0 ? [] : [{ type: "transaction", entries: open }];
    const last = open.at(-1)?.revision ?? 0;
    open = [];
    if (loadedAt === undefined) return closed;
    const revision = Math.max(loadedAt, last);
    loadedAt = undefined;
    return [...closed, { type: "loaded", revision }];
  }

  function takeEntry(entry: Entry): readonly Cut[] {
    const [first] = open;
    const before = first !== undefined && first.tx.id !== entry.tx.id ? close() : [];
    open.push(entry);
    return entry.tx.index >= entry.tx.count ? [...before, ...close()] : before;
  }

  /** The stream has reached `revision`, and all up to it has come. */
  function reached(revision: Revision): readonly Cut[] {
    const last = open.at(-1);
    if (last === undefined) return [];
    return revision >= last.revision + last.tx.count - last.tx.index ? close() : [];
  }

  return {
    take(item) {
      switch (item.type) {
        case "entry":
          return takeEntry(item.entry);
        case "idle": {
          const closed = reached(item.revision);
          return open.length > 0 ? closed : [...closed, { type: "idle", revision: item.revision }];
        }
        case "loaded": {
          const closed = reached(item.revision);
          if (open.length === 0) return [...closed, { type: "loaded", revision: item.revision }];
          loadedAt = item.revision;
          return closed;
        }
        case "reset":
          open = [];
          loadedAt = undefined;
          return [{ type: "reset" }];
        default:
          return item satisfies never;
      }
    },
  };
}
