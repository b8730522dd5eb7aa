import { type Observed } from "../runtime/runtime.ts";
import { isSettled, type ProbeRuns } from "./probe.ts";

/**
 * A pod that ran before its agent did. Until its probes have judged it anew, the control plane keeps
 * what it last heard of it: a restart of the agent makes no pod unready. Whatever else happens to the
 * pod ends that, and so does a probe's verdict either way.
 */
export type Adoption = {
  /** Whether there is nothing to tell yet. */
  isJudging(containers: readonly Observed[], runs: Iterable<ProbeRuns>): boolean;
};

/** @param begun the pod's containers when the agent took it over */
export function adoptionOf(begun: readonly Observed[]): Adoption {
  let adopted = runningAll(begun);
  return {
    isJudging(containers, runs) {
      const same = adopted !== undefined && adopted === runningAll(containers);
      if (same && ![...runs].every(isSettled)) return true;
      adopted = undefined;
      return false;
    },
  };
}

/** Which containers there are, if there are some and all of them run. */
function runningAll(containers: readonly Observed[]): string | undefined {
  if (containers.length === 0 || containers.some(({ state }) => state !== "running"))
    return undefined;
  return containers
    .map(({ id }) => id)
    .toSorted()
    .join();
}
