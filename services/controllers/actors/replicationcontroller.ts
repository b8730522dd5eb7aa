import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import {
  replicationController,
  type ReplicationController,
} from "../../../libs/model/kinds/replicationcontroller.ts";
import type { LabelSelector } from "../../../libs/model/label-selector.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { controller, type Decision } from "../controller.ts";
import { isRefused, refusedReplicas, withoutFailure } from "./workload/refused.ts";
import { decideReplicas, podConcerns, podsFor, type World } from "./workload/replicas.ts";

const selectorOf = ({ spec }: ReplicationController): LabelSelector => ({
  matchLabels: spec.selector ?? {},
});

/** A ReplicaSet's decision, with the selector of its time. */
export function decide(
  self: ReplicationController,
  world: World,
  now: EpochMs,
): Decision<Pod, ReplicationController> {
  const {
    counts,
    terminating: _terminating,
    ...rest
  } = decideReplicas(self, selectorOf(self), world, now);
  return { ...rest, status: { ...withoutFailure({ ...self.status }), ...counts } };
}

export const replicationControllers = controller({
  kind: replicationController,
  owns: [pod],
  read: (view, self): World => ({ pods: podsFor(view, self, selectorOf(self)) }),
  decide,
  refused: refusedReplicas,
  concerns: (change, view) =>
    podConcerns(change, view, {
      kind: "ReplicationController",
      all: (namespace) =>
        view.list(replicationController, { namespace }).map((one) => ({
          metadata: one.metadata,
          selector: selectorOf(one),
          refused: isRefused(one.status),
        })),
    }),
});
