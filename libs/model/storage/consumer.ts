/** Where a claim that waits for its first consumer is used. */
import type { PersistentVolumeClaim } from "../kinds/persistentvolumeclaim.ts";
import type { Pod } from "../kinds/pod.ts";
import { isTerminal } from "../pod/state.ts";
import { selectedNode } from "./binding.ts";

/**
 * The node that the scheduler chose, or that of the oldest pod which was given one without it.
 *
 * @param users pods that name the claim
 */
export function consumerNode(
  { metadata }: PersistentVolumeClaim,
  users: readonly Pod[],
  isThere: (node: string) => boolean,
): string | undefined {
  const chosen = metadata.annotations?.[selectedNode];
  if (chosen !== undefined && isThere(chosen)) return chosen;
  return users
    .filter((one) => !isTerminal(one))
    .toSorted(oldestFirst)
    .flatMap(({ spec }) => spec.nodeName ?? [])
    .find((name) => name !== "" && isThere(name));
}

function oldestFirst({ metadata: a }: Pod, { metadata: b }: Pod): number {
  const [one = "", other = ""] = [a.creationTimestamp, b.creationTimestamp];
  if (one !== other) return one < other ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
