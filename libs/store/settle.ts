import { expectedRevision, isAbsence, type Known, refutes } from "./known.ts";
import type { Waiting } from "./group-commit.ts";
import { type Entry, type Op, type Outcome, type Revision, StoreUnavailable } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { Transaction } from "./transaction.ts";

/** Revisions of one key that are searched for a transaction; more within 30 s is given up. */
const searchedMax = 2_000;

/**
 * Settles a transaction that was refused, if `newest` decides it: it lost the race, or an attempt
 * that went unanswered had been committed (S4).
 *
 * @param newest what was just read of its keys, at any lag
 * @returns `item` when nothing is stale: it is to be sent again (S7)
 */
export async function settle(
  item: Waiting,
  newest: ReadonlyMap<string, Entry>,
  stream: Stream,
  known: Known,
): Promise<Waiting | undefined> {
  const { transaction } = item;
  const stale = await staleOp(transaction, newest, stream, known);
  const moved = stale ?? movedAbsence(item, known);
  if (moved === undefined) return item;
  const committed = item.uncertain ? await committedAt(item, moved, stream, known) : undefined;
  if (stale === undefined && committed === undefined) {
    item.base = known.highest(); // No attempt so far was committed, and none of them can be.
    return item;
  }
  if (committed === "unknown") item.failed(new StoreUnavailable("the record has a gap"));
  else if (committed !== undefined) item.done({ ok: true, revision: committed });
  else if (stale !== undefined) item.done(lost(stale, known, transaction));
  return undefined;
}

/**
 * A key that an unanswered attempt expected to be absent, and that has moved since: "absent" may hold
 * again, over a tombstone, after that very attempt. To be asked before it is sent once more (S4).
 */
export function movedAbsence({ transaction, uncertain, base }: Waiting, known: Known) {
  if (!uncertain) return undefined;
  return transaction.writes.find(
    ({ key, expect }) => isAbsence(expect) && (known.of(key)?.revision ?? 0) > base,
  );
}

/**
 * Whether no two attempts of it can both be committed, if the next one is sent as `known` says now:
 * each expects what an earlier one, committed after `base`, would have moved (S4). To be asked in the
 * same breath as the attempt is sent: what is known changes between two.
 */
export function isSafeToSend({ transaction, uncertain, base }: Waiting, known: Known): boolean {
  if (!uncertain) return true;
  return transaction.writes.every(
    (write) => !isAbsence(write.expect) || expectedRevision(write, known) <= base,
  );
}

/** The outcome of a lost race. */
export function lost(stale: Op, known: Known, { cut }: Pick<Transaction, "cut">): Outcome {
  const revision = known.of(stale.key)?.revision ?? 0;
  // At or before the cut, and not seen there: a later write has purged it, and only that one will show.
  return { ok: false, conflict: stale.key, ...(revision > cut && { revision }) };
}

async function staleOp(
  { writes, guards }: Transaction,
  newest: ReadonlyMap<string, Entry>,
  stream: Stream,
  known: Known,
): Promise<Op | undefined> {
  const ops: readonly Op[] = [...writes, ...guards];
  const gone = ops.find((op) => !isAbsence(op.expect) && refutes(newest.get(op.key), op.expect));
  if (gone !== undefined) return gone;
  for (const op of ops) {
    // Live, where absence is expected: or deleted since. Older than expected, or not there: its
    // tombstone has expired. Either may be the reader's lag; the leader knows.
    const entry = newest.get(op.key);
    if (isAbsence(op.expect) ? !refutes(entry, op.expect) : entry?.revision === op.expect) continue;
    const now = await stream.last(op.key);
    if (now === undefined) known.forget(op.key);
    else known.learn(now);
    if (isAbsence(op.expect) ? refutes(now, op.expect) : now?.revision !== op.expect) return op;
  }
  return undefined;
}

/**
 * The revision of the transaction's last write, when an attempt was committed. As `stale` has moved
 * no attempt can be from now on, so what one copy of the log says that includes that move is final.
 */
async function committedAt(
  { transaction, base }: Waiting,
  stale: Op,
  stream: Stream,
  known: Known,
): Promise<Revision | "unknown" | undefined> {
  // Where the expectation was the key's own, the previous revision is as it was sent.
  const written = transaction.writes.find((write) => write.covered !== true);
  if (written === undefined) return "unknown";
  const [ours, moved] = await newestOf(written.key, stale.key, stream);
  if ((moved?.revision ?? 0) < (known.of(stale.key)?.revision ?? 0)) {
    throw new StoreUnavailable("the reader lags behind the move");
  }
  const end = endOf(ours, transaction) ?? endOf(moved, transaction);
  if (end !== undefined) return end;
  const from = Math.max(base, typeof written.expect === "number" ? written.expect : 0);
  if (ours !== undefined && ours.revision <= from) return undefined;
  if (ours !== undefined && ours.previous <= from) return undefined; // Its first since.
  return search(written.key, from, ours?.revision, transaction, stream);
}

/** Both as of one moment. */
async function newestOf(first: string, second: string, stream: Stream) {
  const entries = await stream.newest([...new Set([first, second])]);
  return [entries.get(first), entries.get(second)] as const;
}

/** Every recorded revision of `key` after `from`, up to `until`: depth and rollups hide some. */
async function search(
  key: string,
  from: Revision,
  until: Revision | undefined,
  transaction: Transaction,
  stream: Stream,
): Promise<Revision | "unknown" | undefined> {
  let at = from;
  for (let step = 0; step < searchedMax; step += 1) {
    const entry = await stream.next(key, at);
    const end = endOf(entry, transaction);
    if (end !== undefined) return end;
    if (entry === undefined && until !== undefined) throw new StoreUnavailable("the record lags");
    if (entry === undefined) return undefined;
    if (entry.previous > at) return "unknown"; // A rollup freed it before the mirror had it.
    if (entry.revision === until) return undefined;
    at = entry.revision;
  }
  return "unknown";
}

/** The revision of the transaction's last write, if `entry` is one of its. */
function endOf(entry: Entry | undefined, { id }: Transaction): Revision | undefined {
  if (entry?.tx.id !== id) return undefined;
  return entry.revision + entry.tx.count - entry.tx.index;
}
