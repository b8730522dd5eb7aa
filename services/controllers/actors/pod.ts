import type { ClusterView } from "../../../libs/cluster/view.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { withDisruption } from "../../../libs/model/pod/disruption.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  type Decision,
  erase,
  type ObjectChange,
  remove,
  update,
} from "../controller.ts";
import { isTracked, jobOf, withoutTracking } from "./job/tracking.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";

export type World = {
  /** It is bound to a node that is not there. */
  readonly nodeGone: boolean;
  /** It waits to be counted by a Job that is not there, or is not its own any more. */
  readonly jobGone: boolean;
};

/**
 * A pod goes with its Node (O6): nobody is left to report its end. What a finalizer holds has failed,
 * is marked as ending, and goes when nothing holds it any more. Nor does a pod wait for a Job that is
 * gone (O7): a uid never comes back, so its absence is evidence at any cut (S5).
 */
export function decide(
  self: Pod,
  { nodeGone, jobGone }: World,
  now: EpochMs,
): Decision<never, Pod> {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  if (jobGone) return { ...rest, self: update(withoutTracking(self)) };
  if (!nodeGone) return rest;
  const held = (self.metadata.finalizers ?? []).length > 0;
  if (held && !isTerminal(self)) return { ...rest, status: failedWithNode(self, now) };
  return { ...rest, self: held ? remove(self) : erase(self) };
}

function failedWithNode({ status }: Pod, now: EpochMs): Pod["status"] {
  const unready = { type: "Ready", status: "False", lastTransitionTime: timeOf(now) } as const;
  const others = (status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const reason = { reason: "DeletionByPodGC", message: "PodGC: node no longer exists" };
  const conditions = [...withDisruption([...others, unready], reason, now)];
  return { ...status, phase: "Failed", conditions };
}

function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  if (before === undefined || after !== undefined) return;
  if (before.kind === "Node" && before.apiVersion === "v1") {
    for (const { metadata } of view.list(pod, { node: before.metadata.name ?? "" })) {
      yield actorName(metadata);
    }
  }
  if (before.kind === "Job" && before.apiVersion === "batch/v1") {
    for (const { metadata } of view.list(pod, { ownerUid: before.metadata.uid ?? "" })) {
      yield actorName(metadata);
    }
  }
}

function isJobGone(view: ClusterView, self: Pod): boolean {
  if (!isTracked(self)) return false;
  const owner = jobOf(self);
  const found = owner && view.get(job, self.metadata.namespace, owner.name);
  return owner === undefined || found?.metadata.uid !== owner.uid;
}

export const pods = controller({
  kind: pod,
  owns: [],
  read(view, self): World {
    const { nodeName = "" } = self.spec;
    return {
      nodeGone: nodeName !== "" && view.get(node, undefined, nodeName) === undefined,
      jobGone: isJobGone(view, self),
    };
  },
  decide,
  concerns,
});
