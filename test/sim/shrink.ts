/** Makes a failing schedule small: fewer steps, and no chance, as long as it breaks the same. */
import { type RunOptions, type RunResult, runSchedule } from "./run.ts";

/** Schedules that are tried at most. */
const triesMax = 60;

export type Shrunk = { readonly options: RunOptions; readonly result: RunResult };

/** @param failing what breaks something */
export async function shrink(failing: RunOptions, first: RunResult): Promise<Shrunk> {
  let best: Shrunk = { options: failing, result: first };
  let tries = 0;

  async function attempt(options: RunOptions): Promise<boolean> {
    if (tries >= triesMax) return false;
    tries += 1;
    const result = await runSchedule(options);
    if (nameOf(result) !== nameOf(first)) return false;
    best = { options, result };
    return true;
  }

  await attempt({ ...best.options, calm: true });
  let steps = failing.only ?? numbers(failing.steps);
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at < steps.length;) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      if (await attempt({ ...best.options, only: fewer })) steps = fewer;
      else at += size;
    }
  }
  return best;
}

const numbers = (count: number) => Array.from({ length: count }, (_, nth) => nth + 1);

/** The invariant that was broken first. */
const nameOf = ({ broken: [wrong = ""] }: RunResult): string =>
  /^[a-z0-9-]*/.exec(wrong)?.[0] ?? "";

/** The line that repeats it. */
export function commandOf({ seed, steps, only, of, calm }: RunOptions): string {
  const few = only === undefined ? "" : ` --only ${only.length === 0 ? "0" : only.join(",")}`;
  const some = of === undefined ? "" : ` --of ${of.join(",")}`;
  return `npm run sim -- --seeds 1 --from ${seed} --steps ${steps}${few}${some}${calm === true ? " --calm" : ""}`;
}
