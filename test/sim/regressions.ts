/**
 * Schedules that broke something once, with what it was: docs/simulation.md tells how it was mended. A
 * new workload is a new draw of every schedule: those of before are gone then, and their unit tests stay.
 */
import type { RunOptions } from "./run.ts";

export const regressions: readonly { readonly what: string; readonly options: RunOptions }[] = [
  {
    what: "a replica that lagged took what a delete had left of a transaction for a state",
    options: { seed: 1884, steps: 10 },
  },
  {
    what: "a Deployment that was scaled down in the middle of an update made pods above its surge",
    options: { seed: 5586, steps: 10 },
  },
  {
    what: "more was displaced for a nominated pod without a write of its node's load",
    options: { seed: 71, steps: 10, of: ["deployments", "priorities"] },
  },
  {
    what: "an instance that had been cut off took a node for silent, and let a second agent have its name",
    options: { seed: 3527, steps: 10 },
  },
];
