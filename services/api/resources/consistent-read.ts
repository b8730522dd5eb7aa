import type { Replica } from "../../../libs/store/replica.ts";
import type { Revision, Store } from "../../../libs/store/store.ts";

/**
 * Waits until a replica shows every write that was acknowledged before the call. One question to the
 * store is shared by all that ask while the one before it is under way.
 */
export function consistentReads(
  store: Pick<Store, "lastRevision" | "isLast">,
  replica: Pick<Replica<unknown>, "caughtUp" | "revision">,
): () => Promise<void> {
  let asking: Promise<unknown> | undefined;
  let next: Promise<void> | undefined;
  /** Nothing was on its way when it was asked last: then the quicker question mostly does. */
  let isQuiet = true;

  async function lastRevision(): Promise<Revision> {
    const { revision } = replica;
    if (isQuiet && (await store.isLast(revision))) return revision;
    const last = await store.lastRevision();
    isQuiet = last <= replica.revision;
    return last;
  }

  const ask = (): Promise<void> => {
    const answer = lastRevision();
    const over = () => {
      if (asking === settled) asking = undefined;
    };
    const settled: Promise<void> = answer.then(over, over);
    asking = settled;
    return answer.then((revision) => replica.caughtUp(revision));
  };

  return () => {
    if (asking === undefined) return ask();
    // What is under way may have been answered before the caller's own write.
    next ??= asking.then(() => {
      next = undefined;
      return ask();
    });
    return next;
  };
}
