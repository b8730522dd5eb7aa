/** Whether a replica is what the state was at its revision (S1). */
import type { MemoryBucket } from "../../libs/store/memory-bucket.ts";
import type { Replica } from "../../libs/store/replica.ts";
import type { Revision } from "../../libs/store/store.ts";

/**
 * Compares a replica with the record from now on, whenever it moves.
 *
 * @param isEnd a transaction ends at that revision
 * @param broken told what is wrong
 */
export function followCache(
  replica: Replica<unknown>,
  bucket: MemoryBucket,
  isEnd: (revision: Revision) => boolean,
  broken: (wrong: string) => void,
): Disposable {
  return replica.subscribe(({ revision, changes }) => {
    if (!isEnd(revision) && !isPurged(bucket, revision)) {
      broken(`caches-agree: a cut ends at ${revision}, in the middle of a transaction`);
    }
    for (const { key } of changes) {
      const held = replica.revisionOf(key);
      const newest = newestBy(bucket, key, revision);
      // What a later delete has rolled up may never have been delivered.
      if (newest !== undefined && held !== newest && bucket.at(newest) !== undefined) {
        broken(`caches-agree: ${key} is held as of ${held}, at ${revision} it was of ${newest}`);
      }
    }
  });
}

/** The rest of the transaction is not stored any more: no cut can rest on its end. */
function isPurged(bucket: MemoryBucket, revision: Revision): boolean {
  const last = bucket.recordedAfter(revision - 1);
  if (last === undefined) return true;
  for (let nth = 1; nth <= last.tx.count - last.tx.index; nth += 1) {
    if (bucket.at(revision + nth) !== undefined) return false;
  }
  return true;
}

function newestBy(bucket: MemoryBucket, key: string, revision: Revision): Revision | undefined {
  return bucket.newest(key, revision)?.revision;
}
