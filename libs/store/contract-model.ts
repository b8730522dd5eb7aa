/**
 * Random transactions by several processes against a model of the bucket. What commits must hold in
 * the order of the revisions; what is refused must have been refutable at some moment of its run.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bucket, guard, put, remove, settledHistory, textReplica } from "./contract.ts";
import type { Replica } from "./replica.ts";
import type { Entry, Op, Outcome, Revision, Store } from "./store.ts";

type Newest = { readonly revision: Revision; readonly deleted: boolean; readonly value: string };
type Model = { readonly newest: Map<string, Newest>; revision: Revision; readonly all: string[] };
type Real = {
  readonly stores: readonly Store[];
  readonly replica: Replica<string>;
  readonly bucket: Bucket;
};

export type ModelOptions = {
  readonly runs: number;
  /** Commands of one run. */
  readonly size: number;
};

/** @param empty a bucket; where faults come by chance, by that of the given seed */
export function storeModel(
  name: string,
  empty: (seed: number) => Promise<Bucket>,
  { runs, size }: ModelOptions,
): void {
  describe(`${name} agrees with the model`, () => {
    test("whatever is committed, refused, deleted, fed and recorded", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.commands(anyCommands(), { maxCommands: size }),
          async (seed, steps) => {
            await using bucket = await empty(seed);
            const stores = [await bucket.open(), await bucket.open()];
            await using replica = await textReplica(await bucket.open(), bucket.clock);
            const model: Model = { newest: new Map(), revision: 0, all: [] };
            const setup = async () => ({ model, real: { stores, replica, bucket } });
            await fc.asyncModelRun(setup, steps);
          },
        ),
        { numRuns: runs, endOnFailure: true, ...fromEnvironment() },
      );
    }, 3_600_000);
  });
}

/** `SEED=… RUNS=… npm test -- libs/store/memory.test.ts`: what failed, again, or many more. */
function fromEnvironment(): { readonly seed?: number; readonly numRuns?: number } {
  const { SEED: seed, RUNS: runs } = process.env;
  return {
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(runs !== undefined && { numRuns: Number(runs) }),
  };
}

const keys = ["a.x", "a.y", "b.x", "b.y"];

/** How an op's expectation relates to what the model holds when it is sent. */
type Aim = {
  readonly key: string;
  readonly op: Op["op"];
  readonly expect: "right" | "old" | "absent";
};

const aims = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom(...keys),
    op: fc.constantFrom("put" as const, "put" as const, "delete" as const, "guard" as const),
    expect: fc.constantFrom(
      "right" as const,
      "right" as const,
      "right" as const,
      "old" as const,
      "absent" as const,
    ),
  }),
  { minLength: 1, maxLength: 4, selector: ({ key }) => key },
);
const transactions = fc
  .array(aims, { minLength: 1, maxLength: 8 })
  .map((all) => all.filter((aims) => aims.some(({ op }) => op !== "guard")));

const anyCommands = () => [
  transactions.map((all) => new Race(all)),
  transactions.map((all) => new Race(all)),
  fc
    .record({ key: fc.constantFrom(...keys), times: fc.integer({ min: 17, max: 40 }) })
    .map(({ key, times }) => new Bury(key, times)),
  fc.constant(new Compare()),
  fc.nat({ max: 30 }).map((back) => new Resume(back)),
  fc.constant(new Record()),
  fc.constant(new Expire()),
];

let serial = 0;

/** Several transactions at once, spread over the stores. */
class Race implements fc.AsyncCommand<Model, Real> {
  readonly #aims: readonly (readonly Aim[])[];

  constructor(aims: readonly (readonly Aim[])[]) {
    this.#aims = aims;
  }

  check = () => true;

  async run(model: Model, { stores }: Real): Promise<void> {
    const sent = this.#aims.map((aims) => aims.map((aim) => opOf(aim, model)));
    const outcomes = await Promise.all(
      sent.map((ops, at) => stores[at % stores.length]?.commit(ops) ?? expect.unreachable()),
    );
    const states = apply(model, sent, outcomes);
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.ok) continue;
      const op = sent[at]?.find(({ key }) => key === outcome.conflict) ?? expect.unreachable();
      const refuted = states.some((state) => !holds(op, state));
      expect(refuted, `${op.key} expects ${op.expect}, and is refused for nothing`).toBe(true);
    }
  }

  toString = () => `race ${JSON.stringify(this.#aims)}`;
}

/** Writes a key until its first revisions are hidden by depth. */
class Bury implements fc.AsyncCommand<Model, Real> {
  readonly #key: string;
  readonly #times: number;

  constructor(key: string, times: number) {
    this.#key = key;
    this.#times = times;
  }

  check = () => true;

  async run(model: Model, real: Real): Promise<void> {
    for (let time = 0; time < this.#times; time += 1) {
      await new Race([[{ key: this.#key, op: "put", expect: "right" }]]).run(model, real);
    }
  }

  toString = () => `bury ${this.#key} ${this.#times}`;
}

/** The replica, once caught up, holds what the model holds. */
class Compare implements fc.AsyncCommand<Model, Real> {
  check = () => true;

  async run(model: Model, { replica, stores }: Real): Promise<void> {
    await replica.caughtUp(model.revision, { timeoutMs: 10_000 });
    for (const key of keys) {
      const newest = model.newest.get(key);
      const live = newest === undefined || newest.deleted ? undefined : newest;
      expect(replica.get(key)?.value).toBe(live?.value);
      expect(replica.get(key)?.revision).toBe(live?.revision);
    }
    const values = [...replica.scan("a.")].map(({ value }) => value).toSorted();
    const expected = [...model.newest].filter(
      ([key, { deleted }]) => key.startsWith("a.") && !deleted,
    );
    expect(values).toEqual(expected.map(([, { value }]) => value).toSorted());
    for (const value of values) expect([...replica.lookup("value", value)]).toHaveLength(1);
    expect(await stores[0]?.lastRevision()).toBeGreaterThanOrEqual(model.revision);
  }

  toString = () => "compare";
}

/** A feed that resumes some revisions back sees the newest of all that changed since. */
class Resume implements fc.AsyncCommand<Model, Real> {
  readonly #back: number;

  constructor(back: number) {
    this.#back = back;
  }

  check = (model: Readonly<Model>) => model.revision > 0;

  async run(model: Model, { stores }: Real): Promise<void> {
    let after = Math.max(0, model.revision - this.#back);
    const seen = new Map<string, Revision>();
    const signal = AbortSignal.timeout(10_000);
    for await (const item of stores[1]?.feed({ after, signal }) ?? expect.unreachable()) {
      if (item.type === "reset") {
        after = 0; // It was away for longer than markers live.
        seen.clear();
        continue;
      }
      if (item.type === "stored") continue;
      if (item.type === "entry") seen.set(item.entry.key, item.entry.revision);
      const at = item.type === "entry" ? item.entry.revision : item.revision;
      if (at >= model.revision) break;
    }
    for (const [key, { revision, deleted }] of model.newest) {
      if (revision <= after || deleted) continue; // A marker may have expired.
      expect(seen.get(key), `${key} after ${after}`).toBe(revision);
    }
  }

  toString = () => `resume ${this.#back} back`;
}

/** The record holds every revision once, in order, but for what a rollup freed before it was copied. */
class Record implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>) => model.revision > 0;

  async run(model: Model, { stores }: Real): Promise<void> {
    const store = stores[0] ?? expect.unreachable();
    const entries = await settledHistory(store, 0, model.revision);
    const labels = entries.map(label);
    const known = new Set(labels);
    expect(labels.filter((label) => !model.all.includes(label))).toEqual([]);
    const missing = model.all.filter((label) => !known.has(label));
    const gaps = entries.filter(
      ({ previous }) => previous > 0 && !entries.some(({ revision }) => revision === previous),
    );
    if (missing.length > 0) expect(gaps, "a gap shows by its previous revision").not.toEqual([]);
  }

  toString = () => "record";
}

class Expire implements fc.AsyncCommand<Model, Real> {
  /** Only where it makes a difference: it takes its time. */
  check = (model: Readonly<Model>) => [...model.newest.values()].some(({ deleted }) => deleted);

  async run(model: Model, { bucket }: Real): Promise<void> {
    await bucket.expire();
    for (const [key, { deleted }] of model.newest) if (deleted) model.newest.delete(key);
  }

  toString = () => "expire";
}

function opOf({ key, op, expect }: Aim, { newest, revision }: Model): Op {
  const found = newest.get(key);
  const live = found === undefined || found.deleted ? ("absent" as const) : found.revision;
  // Never one that is still to come: it would hold later.
  const old = Math.max(0, (found?.revision ?? revision) - 1) || ("absent" as const);
  const expected = { right: live, old, absent: "absent" as const }[expect];
  serial += 1;
  switch (op) {
    case "put":
      return put(key, expected, `v${serial}`);
    case "delete":
      return remove(key, expected, `v${serial}`);
    case "guard":
      return guard(key, expected);
    default:
      return op satisfies never;
  }
}

/** Applies what was committed, in the order of its revisions. @returns the states on the way */
function apply(
  model: Model,
  sent: readonly (readonly Op[])[],
  outcomes: readonly Outcome[],
): readonly ReadonlyMap<string, Newest>[] {
  const states: ReadonlyMap<string, Newest>[] = [new Map(model.newest)];
  const committed = outcomes
    .flatMap((outcome, at) =>
      outcome.ok ? [{ revision: outcome.revision, ops: sent[at] ?? [] }] : [],
    )
    .toSorted((one, other) => one.revision - other.revision);
  for (const { revision, ops } of committed) {
    const broken = ops.filter((op) => !holds(op, model.newest)).map(({ key }) => key);
    expect(broken, "committed although an expectation did not hold").toEqual([]);
    const writes = ops.filter(({ op }) => op !== "guard");
    const carriers = ops.length - writes.length;
    expect(revision - writes.length - carriers).toBeGreaterThanOrEqual(model.revision);
    for (const [at, op] of writes.entries()) {
      const own = revision - carriers - writes.length + 1 + at;
      const deleted = op.op === "delete";
      const value = op.op === "put" ? new TextDecoder().decode(op.value) : "";
      model.newest.set(op.key, { revision: own, deleted, value });
      model.all.push(`${op.key}@${own}${deleted ? "!" : ""}`);
    }
    model.revision = revision;
    states.push(new Map(model.newest));
  }
  return states;
}

function holds({ key, expect }: Op, newest: ReadonlyMap<string, Newest>): boolean {
  const found = newest.get(key);
  if (expect === "absent") return found === undefined || found.deleted;
  return found?.revision === expect;
}

const label = ({ key, revision, deleted }: Entry) => `${key}@${revision}${deleted ? "!" : ""}`;
