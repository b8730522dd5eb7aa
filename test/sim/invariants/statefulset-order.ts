import { keyOf } from "../../../libs/cluster/key.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { readySinceMs } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { controllerNamed, controllerUidOf } from "../owners.ts";
import { changesOf, objectIn, type State } from "../state.ts";

/** An ordered StatefulSet makes a pod only when all before it are ready, as of the cut (O7). */
export const statefulSetOrder = invariant("statefulset-order", () => outOfOrder);

function* outOfOrder(state: State): Iterable<string> {
  for (const { key, before, after } of changesOf(state, pod)) {
    if (after === undefined || before?.metadata.uid === after.metadata.uid) continue;
    const { name, namespace } = after.metadata;
    const owner = controllerNamed(after, "StatefulSet");
    const self = owner && objectIn(state, statefulSet, namespace, owner);
    if (self === undefined || self === "") continue;
    if (self.metadata.uid !== controllerUidOf(after)) continue;
    if (self.spec.podManagementPolicy === "Parallel") continue;
    const ordinal = Number(name.slice(name.lastIndexOf("-") + 1));
    for (let earlier = 0; earlier < ordinal; earlier += 1) {
      const at = keyOf(pod, namespace, `${self.metadata.name}-${earlier}`);
      const one = state.asOf(at, state.cut) as Pod | undefined; // The key of a pod.
      if (one === undefined || readySinceMs(one) === undefined) {
        yield `${key} is made, and ${earlier} is not ready`;
      }
    }
  }
}
