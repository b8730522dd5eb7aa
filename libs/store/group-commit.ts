/**
 * Group commit: transactions that become ready while a commit is in flight ride together in the next
 * one. What is sent is decided in `plan.ts`; here it is sent, and the answers are settled (S4–S7).
 */
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import { expectedRevision, type Known, refutes } from "./known.ts";
import { limits, type Limits, plan } from "./plan.ts";
import { isSafeToSend, lost, movedAbsence, settle } from "./settle.ts";
import {
  type CommitOptions,
  type Entry,
  InvalidTransaction,
  type Op,
  type Outcome,
  type Revision,
  StoreUnavailable,
} from "./store.ts";
import type { Answer, Draft, Stream } from "./stream.ts";
import { draftsOf, keysOf, type Transaction, transactionOf } from "./transaction.ts";

/** A transaction on its way. */
export type Waiting = {
  readonly transaction: Transaction;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly done: (outcome: Outcome) => void;
  readonly failed: (error: Error) => void;
  /** Every commit of it comes after this revision; 0 when its id may have been sent before us. */
  base: Revision;
  /** An attempt went unanswered, or its id is the caller's: it may have been committed (S4). */
  uncertain: boolean;
};

type Ports = { readonly clock: Clock; readonly random: Random; readonly log: Log };
type Commit = (ops: readonly Op[], options?: CommitOptions) => Promise<Outcome>;

/** How long a commit may take in all. */
const settledWithinMs = 30_000;
/** Transactions that wait; beyond it a commit fails at once. */
const waitingMax = 20_000;
const pauseMs = { first: 4, most: 500 };

export function groupCommit(stream: Stream, known: Known, { clock, random, log }: Ports): Commit {
  let waiting: Waiting[] = [];
  let running = false;
  /** Rounds without progress, in a row: the pause grows, and the batch shrinks (S7). */
  let setbacks = 0;

  return (ops, options = {}) =>
    new Promise((done, failed) => {
      const id = options.id ?? random.uuid();
      const transaction = transactionOf(ops, id, options.cut ?? 0);
      if (waiting.length >= waitingMax) throw new StoreUnavailable("too many commits wait");
      waiting.push({
        transaction,
        deadlineMs: clock.monotonicMs() + settledWithinMs,
        signal: options.signal,
        done,
        failed,
        base: options.id === undefined ? known.highest() : 0,
        uncertain: options.id !== undefined,
      });
      if (!running) run().catch(broken);
    });

  async function run(): Promise<void> {
    running = true;
    await gathered();
    while (waiting.length > 0) {
      const ready = withoutExpired();
      try {
        await round(ready);
      } catch (error) {
        const failure = new StoreUnavailable("the commit failed", { cause: error });
        for (const item of ready) item.failed(failure); // Those that are settled stay so.
        waiting = waiting.filter((item) => !ready.includes(item));
      }
      if (setbacks > 0) await clock.sleep(pause());
      await gathered();
    }
    running = false; // In the same breath as the last look: nobody waits unseen.
  }

  async function round(ready: readonly Waiting[]): Promise<void> {
    const { as, now, later } = plan(await withoutStale(ready), shrunk(limits, setbacks));
    waiting = [...later, ...waiting];
    const again = as === "puts" ? await puts(now) : await batch(now);
    waiting = [...again, ...waiting];
    setbacks = again.length > 0 && again.length === now.length ? setbacks + 1 : 0;
  }

  /** A round settles what it fails, so this is for what nobody thought of. */
  function broken(error: unknown): void {
    running = false;
    const failure = new StoreUnavailable("the commit failed", { cause: error });
    for (const item of waiting.splice(0)) item.failed(failure);
  }

  /** Gives up what was told to stop or took too long, and takes all the rest. */
  function withoutExpired(): Waiting[] {
    const all = waiting;
    waiting = [];
    const nowMs = clock.monotonicMs();
    return all.filter((item) => {
      const over = item.signal?.aborted === true || nowMs > item.deadlineMs;
      if (over) item.failed(new StoreUnavailable("the commit was not settled in time"));
      return !over;
    });
  }

  /** Settles what is known to be stale without sending it; asks where that is no proof (S4, S6). */
  async function withoutStale(items: readonly Waiting[]): Promise<readonly Waiting[]> {
    const suspects = new Set<Waiting>();
    const rest = items.filter((item) => {
      const stale = opsOf(item.transaction).find((op) => refutes(known.of(op.key), op.expect));
      if (stale === undefined) {
        if (movedAbsence(item, known) !== undefined) suspects.add(item);
        return true;
      }
      if (item.uncertain || typeof stale.expect !== "number") suspects.add(item);
      else item.done(lost(stale, known, item.transaction));
      return suspects.has(item);
    });
    if (suspects.size === 0) return rest;
    const open = new Set(await settleAll([...suspects]));
    return rest.filter((item) => !suspects.has(item) || open.has(item));
  }

  /** @returns those to be sent again */
  async function puts(items: readonly Waiting[]): Promise<readonly Waiting[]> {
    const results = await Promise.all(items.map((item) => batch([item])));
    return results.flat();
  }

  /** @returns those to be sent again */
  async function batch(ready: readonly Waiting[]): Promise<readonly Waiting[]> {
    const items = ready.filter((item) => isSafeToSend(item, known));
    const unclear = ready.filter((item) => !items.includes(item)); // To be asked about first.
    return items.length === 0 ? unclear : [...(await sent(items)), ...unclear];
  }

  /** @returns those to be sent again */
  async function sent(items: readonly Waiting[]): Promise<readonly Waiting[]> {
    const drafts = items.map(({ transaction }) =>
      draftsOf(transaction, (op) => expectedRevision(op, known)),
    );
    const answer = await stream.append(drafts.flat());
    switch (answer.type) {
      case "stored":
        stored(items, drafts, answer.revision);
        return [];
      case "refused":
        return settleAll(items);
      case "rejected":
        return rejected(items, answer);
      case "silent":
        for (const item of items) item.uncertain = true;
        return items;
      default:
        return answer satisfies never;
    }
  }

  function stored(
    items: readonly Waiting[],
    drafts: readonly (readonly Draft[])[],
    last: Revision,
  ): void {
    let revision = last - drafts.flat().length;
    for (const [at, item] of items.entries()) {
      for (const { key, deleted } of drafts[at] ?? []) {
        revision += 1;
        known.learn({ key, deleted, revision });
      }
      item.done({ ok: true, revision });
    }
  }

  async function rejected(
    items: readonly Waiting[],
    { permanent, reason }: Extract<Answer, { type: "rejected" }>,
  ): Promise<readonly Waiting[]> {
    log.warn({ transactions: items.length, permanent, reason }, "commit rejected");
    const [only, ...others] = items;
    if (!permanent || only === undefined) return items;
    if (others.length === 0) {
      only.failed(new InvalidTransaction(reason));
      return [];
    }
    // One of them spoils it for the others: halve until it is alone (S7).
    const middle = items.length >> 1;
    return [...(await batch(items.slice(0, middle))), ...(await batch(items.slice(middle)))];
  }

  /** Reads what the server has, settles what that decides. @returns those to be sent again */
  async function settleAll(items: readonly Waiting[]): Promise<readonly Waiting[]> {
    const newest = await read(items.flatMap(({ transaction }) => keysOf(transaction))).catch(
      whenUnavailable(undefined),
    );
    if (newest === undefined) return items;
    const open = items.map((item) =>
      settle(item, newest, stream, known).catch(whenUnavailable(item)),
    );
    return (await Promise.all(open)).filter((item) => item !== undefined);
  }

  async function read(keys: readonly string[]): Promise<ReadonlyMap<string, Entry>> {
    const unique = [...new Set(keys)];
    const pages = Array.from({ length: Math.ceil(unique.length / readKeysMax) }, (_, page) =>
      unique.slice(page * readKeysMax, (page + 1) * readKeysMax),
    );
    const entries = (await Promise.all(pages.map((page) => stream.newest(page)))).flatMap(
      (page) => [...page.values()],
    );
    const newest = new Map(entries.map((entry) => [entry.key, entry]));
    for (const key of unique) {
      const entry = newest.get(key);
      if (entry === undefined) known.forget(key);
      else known.learn(entry);
    }
    return newest;
  }

  /** With jitter: writers that refused each other must not meet again (S7). */
  function pause(): number {
    const base = Math.min(pauseMs.first * 2 ** (setbacks - 1), pauseMs.most);
    return base * (0.5 + random.next() / 2);
  }
}

/** Keys that one read may name. */
export const readKeysMax = 1_024;

const whenUnavailable =
  <T>(fallback: T) =>
  (error: unknown): T => {
    if (error instanceof StoreUnavailable) return fallback;
    throw error;
  };

const opsOf = ({ writes, guards }: Transaction): readonly Op[] => [...writes, ...guards];

const shrunk = (limits: Limits, setbacks: number): Limits => ({
  ...limits,
  messages: Math.max(1, limits.messages >> Math.max(0, setbacks - 1)),
});

/** Lets those that were just answered bring their next transaction, so that they ride together. */
async function gathered(): Promise<void> {
  for (let hop = 0; hop < 12; hop += 1) await Promise.resolve();
}
