import type { ClusterView } from "../../../libs/cluster/view.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import {
  actorName,
  controller,
  type Decision,
  erase,
  type ObjectChange,
  remove,
} from "../controller.ts";

export type World = {
  /** It is bound to a node that is not there. */
  readonly nodeGone: boolean;
};

/**
 * A pod goes with its Node (O6): nobody is left to report its end. What a finalizer holds is marked
 * as ending first, and goes when nothing holds it any more.
 */
export function decide(self: Pod, { nodeGone }: World): Decision<never, Pod> {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  if (!nodeGone) return rest;
  const held = (self.metadata.finalizers ?? []).length > 0;
  return { ...rest, self: held ? remove(self) : erase(self) };
}

function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  if (before?.kind !== "Node" || before.apiVersion !== "v1" || after !== undefined) return;
  for (const { metadata } of view.list(pod, { node: before.metadata.name ?? "" })) {
    yield actorName(metadata);
  }
}

export const pods = controller({
  kind: pod,
  owns: [],
  read(view, { spec }): World {
    const { nodeName = "" } = spec;
    return { nodeGone: nodeName !== "" && view.get(node, undefined, nodeName) === undefined };
  },
  decide,
  concerns,
});
