import { pod } from "../../../libs/model/kinds/pod.ts";
import { homes } from "../homes.ts";
import { invariant } from "../invariant.ts";
import { changesOf } from "../state.ts";

/** A pod's keys go only when its containers are gone, or its node (O6). */
export const endsBeforeKeys = invariant("ends-before-keys", ({ runsOn }) => {
  const home = homes();
  return function* (state) {
    home.see(state);
    for (const { key, before, after } of changesOf(state, pod)) {
      const isGone = before !== undefined && after?.metadata.uid !== before.metadata.uid;
      if (!isGone || home.isLost(before.metadata.uid, state)) continue;
      const on = runsOn(before.metadata.uid);
      if (on.length > 0) yield `${key} is removed, and its containers run on ${on.join(", ")}`;
    }
  };
});
