import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { allocatedSpec } from "../../../libs/model/pod/allocated.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { quantityMilli } from "../../../libs/model/quantity.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectIn, objectsIn } from "../state.ts";

/** No pod is bound to the room that is made for another of no lower priority (B1). */
export const roomKept = invariant(
  "room-kept",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        const name = after?.spec.nodeName ?? "";
        if (after === undefined || name === "" || (before?.spec.nodeName ?? "") !== "") continue;
        const all = [...objectsIn(state, pod)];
        const nominated = all.filter(
          (one) =>
            isLive(one) &&
            (one.spec.nodeName ?? "") === "" &&
            one.status?.nominatedNodeName === name &&
            (one.spec.priority ?? 0) >= (after.spec.priority ?? 0),
        );
        if (nominated.length === 0) continue;
        // What goes leaves its room to who was nominated.
        const there = all.filter((one) => one.spec.nodeName === name && isLive(one));
        const used = [...there, ...nominated].reduce((sum, one) => sum + cpuOf(one), 0);
        const has = quantityMilli(
          objectIn(state, node, undefined, name)?.status?.allocatable?.["cpu"] ?? "0",
        );
        if (used > has && cpuOf(after) > 0)
          yield `${key} is bound to ${name}, and takes of what ${nominated.map(({ metadata }) => metadata.name).join(", ")} was nominated for`;
      }
    },
);

const cpuOf = (one: Pod): number =>
  allocatedSpec(one).containers.reduce(
    (sum, { resources }) => sum + quantityMilli(resources.requests?.["cpu"] ?? "0"),
    0,
  );
