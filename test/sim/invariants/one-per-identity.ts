import { pod } from "../../../libs/model/kinds/pod.ts";
import { homes } from "../homes.ts";
import { invariant } from "../invariant.ts";
import { controllerNamed } from "../owners.ts";
import { changesOf } from "../state.ts";

/** No second pod of a StatefulSet's identity while the first one's containers run, unless its node is gone (O6, O7). */
export const onePerIdentity = invariant("one-per-identity", ({ runsOn }) => {
  const home = homes();
  const last = new Map<string, string>();
  return function* (state) {
    home.see(state);
    for (const { key, after } of changesOf(state, pod)) {
      if (after === undefined || controllerNamed(after, "StatefulSet") === undefined) continue;
      const { uid } = after.metadata;
      const before = last.get(key);
      last.set(key, uid);
      if (before === undefined || before === uid || home.isLost(before, state)) continue;
      const on = runsOn(before);
      if (on.length > 0) yield `${key} is made again, and its containers run on ${on.join(", ")}`;
    }
  };
});
