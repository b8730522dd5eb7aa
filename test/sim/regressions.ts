/** Schedules that broke something once, with what it was: docs/simulation.md tells how it was mended. */
import type { RunOptions } from "./run.ts";

export const regressions: readonly { readonly what: string; readonly options: RunOptions }[] = [
  {
    what: "an instance that was told to stop ended a drain",
    options: { seed: 1015, steps: 10 },
  },
];
