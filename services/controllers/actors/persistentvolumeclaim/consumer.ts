/** Where a claim's first consumer runs. */
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { isTerminal } from "../../../../libs/model/pod/state.ts";
import { selectedNode } from "../../../../libs/model/storage/binding.ts";
import { type EventNote, normal } from "../../controller.ts";

/** The node that the scheduler chose, or that of the oldest pod which was given one without it. */
export function consumerNode(
  { metadata }: PersistentVolumeClaim,
  { users, nodes }: { readonly users: readonly Pod[]; readonly nodes: readonly Node[] },
): Node | undefined {
  const named = (name: string | undefined) => nodes.find((one) => one.metadata.name === name);
  const chosen = named(metadata.annotations?.[selectedNode]);
  if (chosen !== undefined) return chosen;
  const bound = users.filter((one) => hasNode(one) && !isTerminal(one)).toSorted(oldestFirst);
  return bound.map(({ spec }) => named(spec.nodeName)).find((one) => one !== undefined);
}

/** What a claim waits for that waits for its first consumer. */
export function waitingFor(users: readonly Pod[]): EventNote {
  const pods = users.filter((one) => !isTerminal(one)).map(({ metadata }) => metadata.name);
  return pods.length === 0
    ? normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    : normal("WaitForPodScheduled", `waiting for pod ${pods.toSorted().join(",")} to be scheduled`);
}

/** A pod without a node runs nowhere, and is not started once its claim is ending. */
export const hasNode = ({ spec }: Pod): boolean => (spec.nodeName ?? "") !== "";

function oldestFirst({ metadata: a }: Pod, { metadata: b }: Pod): number {
  const [one = "", other = ""] = [a.creationTimestamp, b.creationTimestamp];
  if (one !== other) return one < other ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
