import { usageOf } from "../../../libs/admission/quota/usage.ts";
import { keyOf, prefixOf } from "../../../libs/cluster/key.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { resourceQuota, type ResourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import type { Revision } from "../../../libs/store/store.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectsIn } from "../state.ts";

/**
 * Whoever makes a pod where a quota is, as of its cut, leaves no more of them than that allows (O3). A pod
 * that was decided before the quota was there is charged to nobody: it counts once the quota's actor saw it.
 */
export const withinQuota = invariant("within-quota", () => {
  /** By the pod's uid: when it was made, uncharged. */
  const uncharged = new Map<string, Revision>();
  return function* (state) {
    const isCount = [...state.changes.keys()].every((key) =>
      key.startsWith(prefixOf(resourceQuota)),
    );
    if (isCount) for (const [uid, at] of uncharged) if (at <= state.cut) uncharged.delete(uid);
    const born = [...changesOf(state, pod)].filter(({ before }) => before === undefined);
    const namespaces = new Set(born.map(({ after }) => after?.metadata.namespace ?? ""));
    for (const quota of objectsIn(state, resourceQuota)) {
      const { namespace, name, uid } = quota.metadata;
      if (!namespaces.has(namespace)) continue;
      // Admitted as one; it was not there yet for who decided before.
      const seen = state.asOf(keyOf(resourceQuota, namespace, name), state.cut) as
        | ResourceQuota
        | undefined;
      if (seen?.metadata.uid !== uid) {
        for (const { after } of born) {
          if (after?.metadata.namespace === namespace)
            uncharged.set(after.metadata.uid, state.revision);
        }
        continue;
      }
      const used = [...objectsIn(state, pod)]
        .filter(({ metadata: one }) => one.namespace === namespace && !uncharged.has(one.uid))
        .filter(
          (object) => usageOf({ group: "", resource: "pods", object })["pods"] === "1",
        ).length;
      const hard = Number(quota.status?.hard?.["pods"] ?? Infinity);
      if (used > hard) yield `${namespace} has ${used} pods, and a quota of ${hard}`;
    }
  };
});
