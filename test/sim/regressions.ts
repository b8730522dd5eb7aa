/** Schedules that broke something once, with what it was: docs/simulation.md tells how it was mended. */
import type { RunOptions } from "./run.ts";

export const regressions: readonly { readonly what: string; readonly options: RunOptions }[] = [
  {
    what: "an instance that was told to stop ended a drain",
    options: { seed: 1015, steps: 10 },
  },
  {
    what: "an instance that lagged told a new agent that it had no pods",
    options: { seed: 4375, steps: 10 },
  },
  {
    what: "an instance judged silence that began before heartbeats reached it",
    options: { seed: 2459, steps: 10 },
  },
  {
    what: "a late heartbeat of a former agent shut out its successor",
    options: { seed: 5216, steps: 10 },
  },
];
