import { isKey } from "./key-subject.ts";
import { InvalidTransaction, type Op, type Revision } from "./store.ts";
import type { Draft } from "./stream.ts";

export type Write = Exclude<Op, { op: "guard" }>;
export type Guard = Extract<Op, { op: "guard" }>;

/** A checked transaction, and what planning needs to know of it. */
export type Transaction = {
  readonly id: string;
  readonly cut: Revision;
  readonly writes: readonly Write[];
  readonly guards: readonly Guard[];
  /** Guards that no covered write carries; each takes a message of its own, on a scratch key. */
  readonly carriers: number;
  readonly bytes: number;
};

/** A server refuses batches over 1,000 messages, and messages over its `max_payload` (8 MB). */
const opsMax = 1_000;
const bytesMax = 6 * 1024 * 1024;
/** Headers and subject of one message, estimated from above. */
const overheadBytes = 400;

/** @throws {InvalidTransaction} when it can never be committed */
export function transactionOf(ops: readonly Op[], id: string, cut: Revision): Transaction {
  const writes = ops.filter((op) => op.op !== "guard");
  const guards = ops.filter((op) => op.op === "guard");
  const covered = writes.filter((write) => write.covered === true).length;
  const carriers = Math.max(0, guards.length - covered);
  const bytes = ops.reduce(
    (sum, op) => sum + overheadBytes + op.key.length + valueOf(op).length,
    0,
  );
  if (writes.length === 0) throw new InvalidTransaction("a transaction needs a write");
  if (writes.length + carriers > opsMax) throw new InvalidTransaction("too many ops");
  if (bytes > bytesMax) throw new InvalidTransaction("too many bytes");
  if (new Set(ops.map(({ key }) => key)).size < ops.length) {
    throw new InvalidTransaction("a key occurs twice");
  }
  const wrong = ops.find(({ key }) => !isKey(key));
  if (wrong !== undefined) throw new InvalidTransaction(`not a key: ${JSON.stringify(wrong.key)}`);
  if (!/^[\w-]{1,64}$/.test(id)) throw new InvalidTransaction("not a transaction's id");
  return { id, cut, writes, guards, carriers, bytes };
}

export const messagesOf = ({ writes, carriers }: Transaction): number => writes.length + carriers;

export const keysOf = ({ writes, guards }: Transaction): string[] =>
  [...writes, ...guards].map(({ key }) => key);

/**
 * Its messages. A guard takes the place of a covered write's expectation, or rides on a message of
 * its own whose key nobody reads: the server takes one expectation a message (design §3).
 *
 * @param expected the revision to send for a key's expectation, tombstones mapped (S6)
 */
export function draftsOf(
  transaction: Transaction,
  expected: (op: Op) => Revision,
): readonly Draft[] {
  const { writes, guards, cut, id, carriers } = transaction;
  const count = writes.length + carriers;
  const waiting = guards.map((guard) => ({ key: guard.key, revision: expected(guard) }));
  const written = writes.map((write, at): Draft => {
    const own = { key: write.key, revision: expected(write) };
    const expect = write.covered === true ? (waiting.shift() ?? own) : own;
    const tx = { id, index: at + 1, count };
    const deleted = write.op === "delete";
    const value = valueOf(write);
    return { key: write.key, deleted, value, expect, tx, previous: own.revision, cut };
  });
  const carried = waiting.map((expect, at): Draft => ({
    key: `${carrierPrefix}${at}`,
    deleted: false,
    value: new Uint8Array(),
    expect,
    tx: { id, index: writes.length + at + 1, count },
    previous: 0,
    cut,
  }));
  return [...written, ...carried];
}

/** Keys that carry guards; they hold nothing. */
const carrierPrefix = "guard.";
export const isCarrier = (key: string): boolean => key.startsWith(carrierPrefix);

function valueOf(op: Op): Uint8Array {
  switch (op.op) {
    case "put":
      return op.value;
    case "delete":
      return op.last;
    case "guard":
      return new Uint8Array();
    default:
      return op satisfies never;
  }
}
