import type { Entry, Op, Revision } from "./store.ts";

type Newest = { readonly revision: Revision; readonly deleted: boolean };

/** The newest revisions that this process has seen: hints, never proof (S5). */
export type Known = {
  learn(entry: Pick<Entry, "key" | "revision" | "deleted">): void;
  /** A read found nothing under `key`: a tombstone has expired, or the reader lagged. */
  forget(key: string): void;
  of(key: string): Newest | undefined;
  /** The highest revision seen: whatever is sent from now on comes after it. */
  highest(): Revision;
};

/** @param keysMax the oldest are forgotten beyond it: a forgotten key costs a refused attempt */
export function knownRevisions(keysMax = 500_000): Known {
  const newest = new Map<string, Newest>();
  let highest = 0;
  return {
    learn({ key, revision, deleted }) {
      highest = Math.max(highest, revision);
      if ((newest.get(key)?.revision ?? 0) >= revision) return;
      newest.set(key, { revision, deleted });
      if (newest.size <= keysMax) return;
      for (const oldest of newest.keys()) {
        newest.delete(oldest);
        break;
      }
    },
    forget: (key) => void newest.delete(key),
    of: (key) => newest.get(key),
    highest: () => highest,
  };
}

/** Whether it is expected that the key is not there; 0 is how a revision says so. */
export const isAbsence = (expect: Op["expect"]): expect is "absent" | 0 =>
  expect === "absent" || expect === 0;

/** The revision to send for an expectation: "absent" is none or the tombstone's (S6). */
export function expectedRevision({ key, expect }: Op, known: Known): Revision {
  if (!isAbsence(expect)) return expect;
  const found = known.of(key);
  return found?.deleted === true ? found.revision : 0;
}

/**
 * Whether an entry of `key`, read at any lag, shows that `expect` does not hold. A revision never
 * comes back, so a newer one refutes; "absent" may hold again later, so only a reader of the newest
 * may call this for it (S6).
 */
export function refutes(newest: Newest | undefined, expect: Op["expect"]): boolean {
  if (newest === undefined) return false;
  if (isAbsence(expect)) return !newest.deleted;
  return newest.revision > expect;
}
