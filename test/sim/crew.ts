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
  /** Told of each that breaks something. @returns whether to go on */
  readonly onBroken: (seed: number, result: RunResult) => boolean;
};

export async function runMany({ from, seeds, steps, onBroken }: CrewOptions): Promise<Sum> {
  const sum: Sum = { schedules: 0, revisions: 0, virtualMs: 0, steps: 0, mishaps: {} };
  let next = from;
  let goesOn = true;

  async function work(): Promise<void> {
    const worker = new Worker(new URL("worker.ts", import.meta.url));
    try {
      while (goesOn && next < from + seeds) {
        const seed = next;
        next += 1;
        const result = await ask(worker, { seed, steps });
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

function ask(worker: Worker, options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    worker.once("error", failed);
    worker.once("message", (result: RunResult) => {
      worker.off("error", failed);
      resolve(result);
    });
    worker.postMessage(options, []);
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
