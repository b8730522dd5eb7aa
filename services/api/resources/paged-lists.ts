/** Lists of which pages are still to come: each is put in order once, and a page costs what it shows. */
import type { Held } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";

export type OrderedList = readonly Held<unknown>[];

export type PagedLists = {
  /** All that was held under `prefix` at `revision`, by key; undefined when that is not remembered. */
  get(prefix: string, revision: Revision): OrderedList | undefined;
  put(prefix: string, revision: Revision, held: OrderedList): void;
};

const listsMax = 8;
/** Of all lists together; a larger one is not remembered. */
const heldMax = 400_000;

/** Of the lists those are forgotten first that nobody has asked for for longest. */
export function pagedLists(): PagedLists {
  const lists = new Map<string, OrderedList>();
  let count = 0;

  function forget(name: string): void {
    count -= lists.get(name)?.length ?? 0;
    lists.delete(name);
  }

  function put(prefix: string, revision: Revision, held: OrderedList): void {
    const name = `${revision} ${prefix}`;
    forget(name);
    if (held.length > heldMax) return;
    lists.set(name, held);
    count += held.length;
    for (const oldest of lists.keys()) {
      if (count <= heldMax && lists.size <= listsMax) return;
      forget(oldest);
    }
  }

  return {
    put,
    get(prefix, revision) {
      const held = lists.get(`${revision} ${prefix}`);
      if (held !== undefined) put(prefix, revision, held);
      return held;
    },
  };
}

/** The place of the first whose key comes after `key`. */
export function placeAfter(held: OrderedList, key: string): number {
  let [low, high] = [0, held.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((held[middle]?.key ?? "") > key) high = middle;
    else low = middle + 1;
  }
  return low;
}

export const byKey = (a: Held<unknown>, b: Held<unknown>): number => (a.key < b.key ? -1 : 1);
