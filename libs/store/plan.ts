import { messagesOf, type Transaction } from "./transaction.ts";

export type Limits = {
  /** Messages of a batch; one transaction alone may have more. */
  readonly messages: number;
  readonly bytes: number;
  /** As many ready transactions of one message each go as parallel puts. */
  readonly puts: number;
};

/** Measured best on one server (reference of the store's benchmark: bench/store). */
export const limits: Limits = { messages: 500, bytes: 4 * 1024 * 1024, puts: 8 };

export type Plan<T> = {
  readonly as: "puts" | "batch";
  readonly now: readonly T[];
  /** Left out, in their order: they go first in the next plan (S7). */
  readonly later: readonly T[];
};

/**
 * What to send of `ready`, in its order: as much as one batch holds, and never two of which one's
 * guard or expectation concerns a key that the other writes (S8).
 */
export function plan<T extends { readonly transaction: Transaction }>(
  ready: readonly T[],
  { messages, bytes, puts }: Limits,
): Plan<T> {
  const now: T[] = [];
  const later: T[] = [];
  const written = new Set<string>();
  const guarded = new Set<string>();
  const total = { messages: 0, bytes: 0 };
  const fits = (transaction: Transaction) =>
    now.length === 0 ||
    (total.messages + messagesOf(transaction) <= messages &&
      total.bytes + transaction.bytes <= bytes);
  const isApart = ({ writes, guards }: Transaction) =>
    !writes.some(({ key }) => written.has(key) || guarded.has(key)) &&
    !guards.some(({ key }) => written.has(key));

  for (const [at, item] of ready.entries()) {
    const { transaction } = item;
    if (total.messages >= messages) {
      later.push(...ready.slice(at));
      break;
    }
    if (!fits(transaction) || !isApart(transaction)) {
      later.push(item);
      continue;
    }
    now.push(item);
    total.messages += messagesOf(transaction);
    total.bytes += transaction.bytes;
    for (const { key } of transaction.writes) written.add(key);
    for (const { key } of transaction.guards) guarded.add(key);
  }
  const single = now.every(({ transaction }) => messagesOf(transaction) === 1);
  return { as: single && now.length <= puts ? "puts" : "batch", now, later };
}
