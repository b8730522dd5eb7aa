import type { ClusterView } from "../../../libs/cluster/view.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
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

const outOfService = "node.kubernetes.io/out-of-service";

export type World = {
  /** Nobody will report the pod's end: its node is not there, or is out of service for good. */
  readonly node: "there" | "gone" | "out of service";
  /** It waits to be counted by a Job that is not there, or is not its own any more. */
  readonly jobGone: boolean;
};

/**
 * A pod goes with its Node (O6): nobody is left to report its end. So does one that was deleted, or
 * evicted, on a node that cannot be reached and that someone declared out of service (O7): they vouch
 * that its containers do not run. What a finalizer holds has failed, is marked as ending, and goes
 * when nothing holds it any more. Nor does a pod wait for a Job that is gone (O7): a uid never comes
 * back, so its absence is evidence at any cut (S5).
 */
export function decide(self: Pod, world: World, now: EpochMs): Decision<never, Pod> {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  if (world.jobGone) return { ...rest, self: update(withoutTracking(self)) };
  const ending = self.metadata.deletionTimestamp !== undefined;
  const lost = world.node === "gone" || (world.node === "out of service" && ending);
  if (!lost) return rest;
  const held = (self.metadata.finalizers ?? []).length > 0;
  if (held && !isTerminal(self)) return { ...rest, status: failedWithNode(self, now) };
  return { ...rest, self: held ? remove(self) : erase(self) };
}

function stateOf(home: Node | undefined): World["node"] {
  if (home === undefined) return "gone";
  const ready = home.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const declared = home.spec.taints?.some(({ key }) => key === outOfService) ?? false;
  return declared && !ready ? "out of service" : "there";
}

function failedWithNode({ status }: Pod, now: EpochMs): Pod["status"] {
  const unready = { type: "Ready", status: "False", lastTransitionTime: timeOf(now) } as const;
  const others = (status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const reason = { reason: "DeletionByPodGC", message: "PodGC: node no longer exists" };
  const conditions = [...withDisruption([...others, unready], reason, now)];
  return { ...status, phase: "Failed", conditions };
}

/** A Node's end, its going out of service, and a Job's end concern its pods. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.kind === "Node" && object.apiVersion === "v1") {
    if (after !== undefined && stateOf(after as unknown as Node) === "there") return; // A v1 Node.
    for (const { metadata } of view.list(pod, { node: object.metadata.name ?? "" })) {
      yield actorName(metadata);
    }
  }
  if (after !== undefined) return;
  if (before?.kind === "Job" && before.apiVersion === "batch/v1") {
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
      node: nodeName === "" ? "there" : stateOf(view.get(node, undefined, nodeName)),
      jobGone: isJobGone(view, self),
    };
  },
  decide,
  concerns,
});
