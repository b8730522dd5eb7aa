/**
 * Many schedules of the simulated cluster: `SEED=4711 RUNS=1000 npm run sim`.
 *
 * Prints a line for each schedule that breaks something, with the command that repeats it, and a
 * summary; ends with 1 when there was one.
 */
import * as z from "zod";
import { allControllers } from "../../services/controllers/instance.ts";
import { runSchedule } from "./run.ts";

const count = z.coerce.number().int().min(0);
const { SEED, RUNS, STEPS, STOP } = z
  .object({
    SEED: count.default(1),
    RUNS: count.default(100),
    STEPS: count.default(40),
    /** `first`: no more schedules after one that breaks something. */
    STOP: z.enum(["first", "last"]).default("last"),
  })
  .parse(process.env);

const controllers = await allControllers();
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
let [failed, revisions, virtualMs] = [0, 0, 0];
const begun = performance.now();
for (let seed = SEED; seed < SEED + RUNS && (failed === 0 || STOP === "last"); seed += 1) {
  const result = await runSchedule({ seed, controllers, steps: STEPS });
  revisions += result.revisions;
  virtualMs += result.virtualMs;
  if (result.broken.length === 0) continue;
  failed += 1;
  const again = `SEED=${seed} RUNS=1 STEPS=${STEPS} npm run sim`;
  say({ seed, again, broken: result.broken, acts: result.acts });
}
say({
  schedules: RUNS,
  failed,
  revisions,
  virtualMinutes: Math.round(virtualMs / 60_000),
  seconds: Math.round((performance.now() - begun) / 1_000),
});
process.exitCode = failed > 0 ? 1 : 0;
