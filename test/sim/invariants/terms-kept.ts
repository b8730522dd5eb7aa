import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";
import { zoneOf } from "../zones.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectIn, objectsIn } from "../state.ts";

/** A pod is not bound to a zone with another that it will not have there, nor that will not have it (B2). */
export const termsKept = invariant(
  "terms-kept",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        const name = after?.spec.nodeName ?? "";
        if (after === undefined || name === "" || (before?.spec.nodeName ?? "") !== "") continue;
        for (const other of objectsIn(state, pod)) {
          const home = other.spec.nodeName ?? "";
          if (home === "" || other.metadata.uid === after.metadata.uid) continue;
          // With its Node a pod has been declared gone (O6).
          if (objectIn(state, node, undefined, home) === undefined) continue;
          if (zoneOf(home) !== zoneOf(name)) continue;
          if (isTerminal(other) || (!excludes(after, other) && !excludes(other, after))) continue;
          yield `${key} is bound to ${name}, and ${other.metadata.name} to ${home}`;
        }
      }
    },
);

/** Of the schedules' terms, which are about zones and their own namespace. */
function excludes({ metadata, spec }: Pod, other: Pod): boolean {
  const { podAntiAffinity } = spec.affinity ?? {};
  const terms = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return (
    metadata.namespace === other.metadata.namespace &&
    terms.some(({ labelSelector }) => matchesSelector(labelSelector ?? {}, other.metadata.labels))
  );
}
