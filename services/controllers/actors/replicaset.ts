import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../../libs/model/kinds/replicaset.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { controller, type Decision } from "../controller.ts";
import { isRefused, refusedReplicas, withoutFailure } from "./workload/refused.ts";
import { decideReplicas, podConcerns, podsFor, type World } from "./workload/replicas.ts";

/** Makes the number of live pods equal `spec.replicas`. */
export function decide(self: ReplicaSet, world: World, now: EpochMs): Decision<Pod, ReplicaSet> {
  const { counts, terminating, ...rest } = decideReplicas(self, self.spec.selector, world, now);
  const status = { ...counts, terminatingReplicas: terminating };
  return { ...rest, status: { ...withoutFailure({ ...self.status }), ...status } };
}

export const replicaSets = controller({
  kind: replicaSet,
  owns: [pod],
  read: (view, self): World => ({ pods: podsFor(view, self, self.spec.selector) }),
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
