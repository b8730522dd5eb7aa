import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { invariant } from "../invariant.ts";
import { changesOf, type State } from "../state.ts";

/** A pod is displaced only in the transaction that nominates one of a higher priority to its node. */
export const preemptedForBetter = invariant(
  "preempted-for-better",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        if (before === undefined || after === undefined) continue;
        if (!isPreempted(after) || isPreempted(before)) continue;
        const node = before.spec.nodeName ?? "";
        const [best] = nominatedIn(state, node).toSorted((a, b) => b - a);
        if (best === undefined || best <= (before.spec.priority ?? 0))
          yield `${key} is displaced from ${node}, and nobody of a higher priority is nominated to it`;
      }
    },
);

/** The priorities of pods that the transaction nominates to the node. */
const nominatedIn = (state: State, node: string): readonly number[] =>
  [...changesOf(state, pod)].flatMap(({ after }) =>
    after?.status?.nominatedNodeName === node && (after.spec.nodeName ?? "") === ""
      ? [after.spec.priority ?? 0]
      : [],
  );

const isPreempted = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ reason }) => reason === "PreemptionByScheduler") ?? false;
