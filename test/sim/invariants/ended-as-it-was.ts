import { pod } from "../../../libs/model/kinds/pod.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";
import { homes } from "../homes.ts";
import { invariant } from "../invariant.ts";
import { changesOf } from "../state.ts";

/**
 * A pod is told to have ended only when its containers have, unless its node is gone; one that nobody
 * deletes only when they had begun (N2, O6).
 */
export const endedAsItWas = invariant("ended-as-it-was", ({ runsOn, hasRun }) => {
  const home = homes();
  return function* (state) {
    home.see(state);
    for (const { key, before, after } of changesOf(state, pod)) {
      if (after === undefined || !isTerminal(after)) continue;
      if (before !== undefined && isTerminal(before)) continue;
      if (home.isLost(after.metadata.uid, state)) continue;
      const on = runsOn(after.metadata.uid);
      if (on.length > 0) yield `${key} has ended, and its containers run on ${on.join(", ")}`;
      const { uid, deletionTimestamp } = after.metadata;
      if (deletionTimestamp === undefined && !hasRun(uid)) yield `${key} has ended, and never ran`;
    }
  };
});
