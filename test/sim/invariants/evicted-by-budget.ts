import { keyOf } from "../../../libs/cluster/key.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import {
  podDisruptionBudget,
  type PodDisruptionBudget,
} from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { readySinceMs } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectsIn } from "../state.ts";

/**
 * A ready pod that a budget protects is evicted, or displaced, in a transaction that takes a disruption of it
 * for each such pod (O3).
 */
export const evictedByBudget = invariant(
  "evicted-by-budget",
  () =>
    function* (state) {
      const charges = new Map<string, number>();
      for (const { key, before, after } of changesOf(state, pod)) {
        if (before === undefined || after === undefined) continue;
        if (!isEvicted(after) || isEvicted(before) || readySinceMs(before) === undefined) continue;
        if (before.metadata.deletionTimestamp !== undefined) continue; // It was lost already.
        for (const budget of objectsIn(state, podDisruptionBudget)) {
          const { namespace, name, uid } = budget.metadata;
          const selects =
            namespace === before.metadata.namespace &&
            budget.spec.selector !== undefined &&
            matchesSelector(budget.spec.selector, before.metadata.labels);
          const own = keyOf(podDisruptionBudget, namespace, name);
          // Admitted as budgets; one that was not there yet for who decided protects nothing.
          const seen = state.asOf(own, state.cut) as PodDisruptionBudget | undefined;
          if (!selects || seen?.metadata.uid !== uid) continue;
          const was = state.changes.get(own)?.before as PodDisruptionBudget | undefined;
          const left = budget.status?.disruptionsAllowed ?? 0;
          charges.set(own, (charges.get(own) ?? 0) + 1);
          const taken = (was?.status?.disruptionsAllowed ?? 0) - left;
          if (was === undefined || taken < (charges.get(own) ?? 0) || left < 0) {
            yield `${key} is evicted, and its budget ${name} allows ${left} as before`;
          }
        }
      }
    },
);

const isEvicted = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ reason = "" }) => reasons.has(reason)) ?? false;
const reasons = new Set(["EvictionByEvictionAPI", "PreemptionByScheduler"]);
