/**
 * Many schedules of the simulated cluster: `npm run sim -- --seeds 1000 --from 1`.
 *
 * Prints, for each schedule that breaks something, what that is and the command that repeats it with as
 * few steps as will do; then a summary. Ends with 1 when there was one. `--steps` says how long a
 * schedule is, `--first` ends with the first that breaks something, `--only 2,5` runs some of a
 * schedule's steps, `--of nodes,deployments` draws from some workloads only, `--calm` lets nothing come
 * by chance.
 */
import { parseArgs } from "node:util";
import * as z from "zod";
import { endless, runMany } from "./crew.ts";
import type { RunOptions, RunResult } from "./run.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    steps: { type: "string" },
    only: { type: "string" },
    of: { type: "string" },
    calm: { type: "boolean", default: false },
    first: { type: "boolean", default: false },
  },
});
const count = z.coerce.number().int().min(1);
const { seeds, from, steps, only, of, calm, first } = z
  .object({
    seeds: count.default(100),
    from: z.coerce.number().int().min(0).default(1),
    steps: count.default(10),
    only: z
      .string()
      .transform((text) => text.split(",").map(Number))
      .optional(),
    of: z
      .string()
      .transform((text) => text.split(","))
      .optional(),
    calm: z.boolean(),
    first: z.boolean(),
  })
  .parse(values);

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** Of these the smallest is looked for; more are told as they are. */
const shrunkMax = 3;

process.exitCode = seeds === 1 ? await runOne() : await runAll();

async function runOne(): Promise<number> {
  const { runSchedule } = await import("./run.ts");
  const options: RunOptions = { seed: from, steps, only, of, calm };
  const result = await runSchedule(options);
  if (result.broken.length > 0 && only === undefined && !calm) await tell(options, result, true);
  else say(result);
  return result.broken.length > 0 ? 1 : 0;
}

async function runAll(): Promise<number> {
  const begun = performance.now();
  const failed: { seed: number; result: RunResult }[] = [];
  const { mishaps, virtualMs, ...sum } = await runMany({
    from,
    seeds,
    steps,
    of,
    onBroken(seed, result) {
      failed.push({ seed, result });
      return !first;
    },
  });
  const seconds = Math.round((performance.now() - begun) / 1_000);
  for (const [nth, { seed, result }] of failed.entries()) {
    await tell({ seed, steps, of }, result, nth < shrunkMax && !first && result !== endless);
  }
  const virtualMinutes = Math.round(virtualMs / 60_000);
  const byKind = Object.entries(mishaps).toSorted(([a], [b]) => (a < b ? -1 : 1));
  say({ ...sum, failed: failed.length, virtualMinutes, seconds });
  say({ mishaps: Object.fromEntries(byKind) });
  return failed.length > 0 ? 1 : 0;
}

/** What is broken, and how to see it again. */
async function tell(options: RunOptions, result: RunResult, shrinks: boolean): Promise<void> {
  const { shrink, commandOf } = await import("./shrink.ts");
  const small = shrinks ? await shrink(options, result) : { options, result };
  const { broken, acts } = small.result;
  say({ seed: options.seed, again: commandOf(small.options), broken, acts });
}
