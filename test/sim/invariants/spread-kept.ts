import { keyOf, prefixOf } from "../../../libs/cluster/key.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectIn, objectsIn } from "../state.ts";
import { zonedNodes, zoneOf } from "../zones.ts";

/**
 * A pod is not bound to a zone that then has more than `maxSkew` above the emptiest (B2): in its own counts
 * what is there when it is bound, in the emptiest what was there as of the cut, since pods may always go,
 * and what comes to be there with it.
 */
export const spreadKept = invariant(
  "spread-kept",
  () =>
    function* (state) {
      const bound = [...changesOf(state, pod)].flatMap(({ before, after }) =>
        after !== undefined && isBound(after) && (before === undefined || !isBound(before))
          ? [after]
          : [],
      );
      for (const after of bound) {
        const { nodeName: name = "" } = after.spec;
        for (const constraint of after.spec.topologySpreadConstraints ?? []) {
          if (constraint.whenUnsatisfiable !== "DoNotSchedule") continue;
          const counted = (pods: Iterable<Pod>, nodes: readonly string[]) =>
            [...pods].filter(
              (one) =>
                isLive(one) &&
                one.metadata.namespace === after.metadata.namespace &&
                matchesSelector(constraint.labelSelector ?? {}, one.metadata.labels) &&
                nodes.includes(one.spec.nodeName ?? ""),
            ).length;
          const alike = zonedNodes.filter(
            (one) =>
              zoneOf(one) === zoneOf(name) && objectIn(state, node, undefined, one) !== undefined,
          );
          const here = counted(objectsIn(state, pod), alike);
          // What lies under a kind's prefix was admitted as that kind.
          const pods = state.allAsOf(prefixOf(pod), state.cut) as readonly Pod[];
          const nodes = zonedNodes.filter(
            (one) => state.asOf(keyOf(node, undefined, one), state.cut) !== undefined,
          );
          const zones = [...Map.groupBy(nodes, zoneOf).values()];
          const now = new Set(bound.map(({ metadata }) => metadata.uid));
          const before = pods.filter(({ metadata }) => !now.has(metadata.uid));
          const fewest = Math.min(...zones.map((all) => counted([...before, ...bound], all)));
          if (here - fewest > constraint.maxSkew)
            yield `${after.metadata.name} is the ${here}th of its zone, and in the emptiest there were ${fewest}`;
        }
      }
    },
);

const isBound = ({ spec }: Pod): boolean => (spec.nodeName ?? "") !== "";
