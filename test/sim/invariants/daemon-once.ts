import { daemonSet } from "../../../libs/model/kinds/daemonset.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { controllerNamed, controllerUidOf } from "../owners.ts";
import { changesOf, objectsIn } from "../state.ts";

/** A DaemonSet without a surge has one live pod for a node (S2). */
export const daemonOnce = invariant(
  "daemon-once",
  () =>
    function* (state) {
      const born = [...changesOf(state, pod)].some(
        ({ before, after }) => before === undefined && after && controllerNamed(after, "DaemonSet"),
      );
      if (!born) return;
      const pods = Map.groupBy(objectsIn(state, pod), controllerUidOf);
      for (const { metadata, spec } of objectsIn(state, daemonSet)) {
        const surge = spec.updateStrategy.rollingUpdate?.maxSurge ?? 0;
        if (surge !== 0) continue;
        const live = (pods.get(metadata.uid) ?? []).filter(isLive);
        for (const [node, there] of Map.groupBy(live, siteOf)) {
          if (there.length > 1) yield `${metadata.name} has ${there.length} pods for ${node}`;
        }
      }
    },
);

/** The node that the pod was made for. */
function siteOf({ spec }: Pod): string {
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return JSON.stringify(terms?.[0]?.matchFields ?? spec.nodeName);
}
