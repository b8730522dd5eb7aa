import { usageOf } from "../../../libs/admission/quota/usage.ts";
import { keyOf } from "../../../libs/cluster/key.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { resourceQuota, type ResourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectsIn } from "../state.ts";

/** Whoever makes a pod where a quota is, as of its cut, leaves no more of them than that allows (O3). */
export const withinQuota = invariant(
  "within-quota",
  () =>
    function* (state) {
      const born = [...changesOf(state, pod)].filter(({ before }) => before === undefined);
      const namespaces = new Set(born.map(({ after }) => after?.metadata.namespace ?? ""));
      for (const quota of objectsIn(state, resourceQuota)) {
        const { namespace, name, uid } = quota.metadata;
        if (!namespaces.has(namespace)) continue;
        // Admitted as one; it was not there yet for who decided before.
        const seen = state.asOf(keyOf(resourceQuota, namespace, name), state.cut) as
          | ResourceQuota
          | undefined;
        if (seen?.metadata.uid !== uid) continue;
        const used = [...objectsIn(state, pod)]
          .filter((one) => one.metadata.namespace === namespace)
          .filter(
            (object) => usageOf({ group: "", resource: "pods", object })["pods"] === "1",
          ).length;
        const hard = Number(quota.status?.hard?.["pods"] ?? Infinity);
        if (used > hard) yield `${namespace} has ${used} pods, and a quota of ${hard}`;
      }
    },
);
