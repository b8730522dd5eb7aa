/**
 * Schedules that broke something once, with what it was: docs/simulation.md tells how it was mended. A
 * new workload is a new draw of every schedule: those of before are gone then, and their unit tests stay.
 */
import type { RunOptions } from "./run.ts";

export const regressions: readonly { readonly what: string; readonly options: RunOptions }[] = [];
