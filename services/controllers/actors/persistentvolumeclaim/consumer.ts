import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { isTerminal } from "../../../../libs/model/pod/state.ts";
import { type EventNote, normal } from "../../controller.ts";

/** What a claim waits for that waits for its first consumer. */
export function waitingFor(users: readonly Pod[]): EventNote {
  const pods = users.filter((one) => !isTerminal(one)).map(({ metadata }) => metadata.name);
  return pods.length === 0
    ? normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    : normal("WaitForPodScheduled", `waiting for pod ${pods.toSorted().join(",")} to be scheduled`);
}

/** A pod without a node runs nowhere, and is not started once its claim is ending. */
export const hasNode = ({ spec }: Pod): boolean => (spec.nodeName ?? "") !== "";
