import type { ClusterView } from "../../../libs/cluster/view.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import {
  actorName,
  controller,
  type Decision,
  erase,
  type ObjectChange,
  remove,
} from "../controller.ts";

const outOfService = "node.kubernetes.io/out-of-service";

export type World = {
  /** Nobody will report the pod's end: its node is not there, or is out of service for good. */
  readonly node: "there" | "gone" | "out of service";
};

/**
 * A pod goes with its Node (O6): nobody is left to report its end. So does one that was deleted, or
 * evicted, on a node that cannot be reached and that someone declared out of service (O7): they vouch
 * that its containers do not run. What a finalizer holds is marked as ending first, and goes when
 * nothing holds it any more.
 */
export function decide(self: Pod, world: World): Decision<never, Pod> {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  const ending = self.metadata.deletionTimestamp !== undefined;
  const lost = world.node === "gone" || (world.node === "out of service" && ending);
  if (!lost) return rest;
  const held = (self.metadata.finalizers ?? []).length > 0;
  return { ...rest, self: held ? remove(self) : erase(self) };
}

function stateOf(home: Node | undefined): World["node"] {
  if (home === undefined) return "gone";
  const ready = home.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const declared = home.spec.taints?.some(({ key }) => key === outOfService) ?? false;
  return declared && !ready ? "out of service" : "there";
}

/** A Node's end, and its going out of service, concern its pods. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.kind !== "Node" || object.apiVersion !== "v1") return;
  if (after !== undefined && stateOf(after as unknown as Node) === "there") return; // A v1 Node.
  for (const { metadata } of view.list(pod, { node: object.metadata.name ?? "" })) {
    yield actorName(metadata);
  }
}

export const pods = controller({
  kind: pod,
  owns: [],
  read(view, { spec }): World {
    const { nodeName = "" } = spec;
    return { node: nodeName === "" ? "there" : stateOf(view.get(node, undefined, nodeName)) };
  },
  decide,
  concerns,
});
