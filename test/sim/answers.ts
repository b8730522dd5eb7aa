/** Whether stores say the truth: what was refused is never committed, what was committed is there (S4). */
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import type { Entry, Op, Outcome, Store } from "../../libs/store/store.ts";

export type Answers = {
  /** The store that `make` makes of the chance it is given, watched. */
  watched(make: (chance: Random) => Store): Store;
  /** When a transaction was asked for, and so decided; undefined for one that no watched store made. */
  readonly askedAtMs: (tx: string) => number | undefined;
  /** @returns what is wrong with an entry */
  see(entry: Entry): readonly string[];
};

/** @param broken told what is wrong */
export function answers(
  { random, clock }: { readonly random: Random; readonly clock: Clock },
  broken: (wrong: string) => void,
): Answers {
  const asked = new Map<string, number>();
  const refused = new Map<string, readonly Op[]>();
  const begun = new Map<string, number>();

  function judge(id: string, ops: readonly Op[], outcome: Outcome): void {
    const first = begun.get(id);
    if (outcome.ok) {
      if (first === undefined) broken(`answers: ${keysOf(ops)} was answered, and not committed`);
      return;
    }
    refused.set(id, ops);
    if (first !== undefined) {
      broken(`answers: ${keysOf(ops)} was refused, and is committed as ${first}`);
    }
  }

  return {
    askedAtMs: (tx) => asked.get(tx),
    watched(make) {
      let drawn = "";
      const uuid = () => (drawn = random.uuid());
      const store = make({ next: () => random.next(), bytes: (size) => random.bytes(size), uuid });
      return {
        ...store,
        async commit(ops, options) {
          const answer = store.commit(ops, options);
          const id = options?.id ?? drawn; // The store draws it as it takes the transaction.
          asked.set(id, clock.now());
          const outcome = await answer;
          judge(id, ops, outcome);
          return outcome;
        },
      };
    },
    see({ key, revision, tx }) {
      const first = revision - tx.index + 1;
      const before = begun.get(tx.id);
      if (before === undefined) begun.set(tx.id, first);
      if (before !== undefined && before !== first) return [`answers: ${key} is committed twice`];
      return refused.has(tx.id) ? [`answers: ${key} is committed, and was refused`] : [];
    },
  };
}

const keysOf = (ops: readonly Op[]) => ops.map(({ key }) => key).join(" and ");
