import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { allocatedSpec } from "../../../libs/model/pod/allocated.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";
import { quantityMilli } from "../../../libs/model/quantity.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectsIn, type State, touches } from "../state.ts";

/** Requests of what is bound to a node and has not ended are within what it has (B1). */
export const noOvercommit = invariant("no-overcommit", () => overcommitted);

function* overcommitted(state: State): Iterable<string> {
  if (!touches(state, pod, node)) return;
  const used = new Map<string, { cpu: number; pods: number }>();
  for (const one of objectsIn(state, pod)) {
    const name = one.spec.nodeName ?? "";
    if (name === "" || isTerminal(one)) continue;
    const sum = used.get(name) ?? { cpu: 0, pods: 0 };
    for (const { resources } of allocatedSpec(one).containers) {
      sum.cpu += quantityMilli(resources.requests?.["cpu"] ?? "0");
    }
    sum.pods += 1;
    used.set(name, sum);
  }
  for (const { metadata, status } of objectsIn(state, node)) {
    const { cpu = 0, pods = 0 } = used.get(metadata.name) ?? {};
    const has = status?.allocatable ?? {};
    if (has["cpu"] === undefined) {
      // Of a new Node its agent says it in a moment; what was bound to a former one may be there still.
      const isBound = [...changesOf(state, pod)].some(
        ({ before, after }) =>
          after?.spec.nodeName === metadata.name && before?.spec.nodeName !== metadata.name,
      );
      if (isBound) yield `${metadata.name} does not say what it has, and a pod is bound to it`;
      continue;
    }
    if (cpu > quantityMilli(has["cpu"]) || pods > Number(has["pods"] ?? 0)) {
      yield `${metadata.name} has ${has["cpu"]} cpu, and pods that request ${cpu}m`;
    }
  }
}
