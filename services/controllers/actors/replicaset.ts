import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../../libs/model/kinds/replicaset.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { controller, type Decision } from "../controller.ts";
import { controllerOf } from "./workload/claims.ts";
import { isRefused, refusedReplicas, withoutFailure } from "./workload/refused.ts";
import { decideReplicas, podConcerns, podsFor, type World } from "./workload/replicas.ts";

/** Makes the number of live pods equal `spec.replicas`. */
export function decide(self: ReplicaSet, world: World, now: EpochMs): Decision<Pod, ReplicaSet> {
  const { counts, terminating, ...rest } = decideReplicas(self, self.spec.selector, world, now);
  const status = { ...counts, terminatingReplicas: terminating };
  return { ...rest, status: { ...withoutFailure({ ...self.status }), ...status } };
}

/** The live pods of its Deployment's other sets. */
function siblingPods(view: ClusterView, self: ReplicaSet): readonly Pod[] {
  const { namespace, uid } = self.metadata;
  const owner = controllerOf(self);
  if (owner === undefined) return [];
  return view
    .list(replicaSet, { namespace, ownerUid: owner.uid })
    .filter((set) => set.metadata.uid !== uid)
    .flatMap((set) => view.list(pod, { namespace, ownerUid: set.metadata.uid }))
    .filter(isLive);
}

export const replicaSets = controller({
  kind: replicaSet,
  owns: [pod],
  read(view, self): World {
    const pods = podsFor(view, self, self.spec.selector);
    const mustGo = pods.length > self.spec.replicas;
    return { pods, ...(mustGo && { neighbours: siblingPods(view, self) }) };
  },
  decide,
  refused: refusedReplicas,
  concerns: (change, view) =>
    podConcerns(change, view, {
      kind: "ReplicaSet",
      all: (namespace) =>
        view.list(replicaSet, { namespace }).map(({ metadata, spec, status }) => ({
          metadata,
          selector: spec.selector,
          refused: isRefused(status),
        })),
    }),
});
