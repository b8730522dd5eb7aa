/** Many schedules at once, on as many threads as there are processors. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Counts } from "./chaos.ts";
import type { RunOptions, RunResult } from "./run.ts";

export type Sum = {
  schedules: number;
  revisions: number;
  virtualMs: number;
  steps: number;
  readonly mishaps: Record<string, number>;
};

export type CrewOptions = {
  readonly from: number;
  readonly seeds: number;
  readonly steps: number;
  /** Only these workloads, by name. */
  readonly of: readonly string[] | undefined;
  /** Told of each that breaks something. @returns whether to go on */
  readonly onBroken: (seed: number, result: RunResult) => boolean;
};

export async function runMany({ from, seeds, steps, of, onBroken }: CrewOptions): Promise<Sum> {
  const sum: Sum = { schedules: 0, revisions: 0, virtualMs: 0, steps: 0, mishaps: {} };
  let next = from;
  let goesOn = true;

  const hire = () => new Worker(new URL("worker.ts", import.meta.url));

  async function work(): Promise<void> {
    let worker = hire();
    try {
      while (goesOn && next < from + seeds) {
        const seed = next;
        next += 1;
        const answer = await ask(worker, { seed, steps, of });
        const result = answer ?? endless;
        if (answer === undefined) {
          await worker.terminate();
          worker = hire();
        }
        add(sum, result);
        if (result.broken.length > 0) goesOn = onBroken(seed, result) && goesOn;
      }
    } finally {
      await worker.terminate();
    }
  }

  const count = Math.min(availableParallelism(), seeds);
  await Promise.all(Array.from({ length: count }, work));
  return sum;
}

/** Of real time; a schedule takes a fraction of a second. */
const limitMs = 120_000;
/** What is said of one that does not end. */
export const endless: RunResult = {
  broken: ["ends: a moment of virtual time does not end"],
  revisions: 0,
  virtualMs: 0,
  acts: [],
  mishaps: {},
};

/** @returns undefined when the schedule does not end */
function ask(worker: Worker, options: RunOptions): Promise<RunResult | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult | undefined>();
  const limit = setTimeout(() => resolve(undefined), limitMs);
  worker.once("error", reject);
  worker.once("message", resolve);
  worker.postMessage(options, []);
  return promise.finally(() => {
    clearTimeout(limit);
    worker.off("error", reject);
    worker.off("message", resolve);
  });
}

function add(sum: Sum, { revisions, virtualMs, acts, mishaps }: RunResult): void {
  sum.schedules += 1;
  sum.revisions += revisions;
  sum.virtualMs += virtualMs;
  sum.steps += acts.length;
  for (const [kind, count] of Object.entries(mishaps satisfies Counts)) {
    sum.mishaps[kind] = (sum.mishaps[kind] ?? 0) + count;
  }
}
