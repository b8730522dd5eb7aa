import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectIn } from "../state.ts";

/** A pod is bound to a node that is there and whose taints it bears, at the moment it is bound (B1). */
export const boundWhereAllowed = invariant(
  "bound-where-allowed",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        const name = after?.spec.nodeName ?? "";
        if (after === undefined || name === "" || (before?.spec.nodeName ?? "") !== "") continue;
        const home = objectIn(state, node, undefined, name);
        if (home === undefined) yield `${key} is bound to ${name}, which is not there`;
        const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;
        const cordons = home?.spec.unschedulable === true ? [cordon] : [];
        for (const taint of [...(home?.spec.taints ?? []), ...cordons]) {
          if (taint.effect === "PreferNoSchedule") continue;
          const borne = (after.spec.tolerations ?? []).some(
            ({ key: of, effect }) =>
              (of === undefined || of === taint.key) &&
              (effect === undefined || effect === taint.effect),
          );
          if (!borne) yield `${key} is bound to ${name}, which has ${taint.key}:${taint.effect}`;
        }
      }
    },
);
