import type { ClusterView } from "../../../../libs/cluster/view.ts";
import { node as nodeKind } from "../../../../libs/model/kinds/node.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { deletionCostOf } from "../../../../libs/model/pod/deletion-cost.ts";
import { isLive, readySinceMs } from "../../../../libs/model/pod/state.ts";
import type { ContainerStatus } from "../../../../libs/model/pod/status.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

/** A pod with what its own object does not say: whether its node can be reached at the cut. */
export type PlacedPod = { readonly pod: Pod; readonly nodeReady: boolean };

/**
 * When the pod has been ready for `minReadySeconds`; undefined while it is not ready, or its node
 * cannot be reached. (The agent alone writes readiness, N2: what a lost node last said is derived
 * away here rather than overwritten.)
 *
 * Without `minReadySeconds` no clock is asked, as in Kubernetes: of two instances whose clocks differ one
 * would find the pod available and the other not yet, and each would write over the other.
 */
export function availableAtMs(
  { pod, nodeReady }: PlacedPod,
  minReadySeconds: number,
): EpochMs | undefined {
  const since = readySinceMs(pod);
  if (since === undefined || !nodeReady || !isLive(pod)) return undefined;
  return minReadySeconds === 0 ? 0 : since + minReadySeconds * 1_000;
}

/** Whether the pod's node is there and ready, at the cut. */
export function isOnReadyNode(view: ClusterView, { spec }: Pod): boolean {
  if (spec.nodeName === undefined || spec.nodeName === "") return false;
  const node = view.get(nodeKind, undefined, spec.nodeName);
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True";
}

export const placed = (view: ClusterView, pods: readonly Pod[]): readonly PlacedPod[] =>
  pods.map((pod) => ({ pod, nodeReady: isOnReadyNode(view, pod) }));

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Orders pods by what is lost with them, least first, as Kubernetes' ActivePodsWithRanks: unbound,
 * pending, unready, cheap by annotation, on a crowded node, ready for a short time, often restarted,
 * young.
 *
 * @param neighbours pods that crowd a node beside these
 */
export function leastLossFirst(
  pods: readonly PlacedPod[],
  neighbours: readonly Pod[] = [],
): readonly PlacedPod[] {
  const perNode = new Map<string, number>();
  for (const pod of [...pods.map((one) => one.pod), ...neighbours]) {
    const node = pod.spec.nodeName ?? "";
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const rankOf = ({ pod, nodeReady }: PlacedPod): readonly number[] => {
    const since = nodeReady ? readySinceMs(pod) : undefined;
    return [
      (pod.spec.nodeName ?? "") === "" ? 0 : 1,
      phaseRank[pod.status?.phase ?? "Pending"] ?? 0,
      since === undefined ? 0 : 1,
      deletionCostOf(pod.metadata),
      -(perNode.get(pod.spec.nodeName ?? "") ?? 0),
      -(since ?? 0),
      -mostRestarts(pod.status?.containerStatuses),
      -mostRestarts(sidecarsOf(pod)),
      -Date.parse(pod.metadata.creationTimestamp ?? ""),
    ];
  };
  return pods
    .map((one) => ({ one, rank: rankOf(one) }))
    .toSorted((a, b) => compareRanks(a.rank, b.rank) || (nameOf(a.one) < nameOf(b.one) ? -1 : 1))
    .map(({ one }) => one);
}

const nameOf = ({ pod }: PlacedPod) => pod.metadata.name;

const mostRestarts = (containers: readonly ContainerStatus[] = []): number =>
  containers.reduce((most, { restartCount }) => Math.max(most, restartCount), 0);

function sidecarsOf({ spec, status }: Pod): readonly ContainerStatus[] {
  const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  const names = new Set(sidecars.map(({ name }) => name));
  return (status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [at, rank] of a.entries()) {
    const difference = rank - (b[at] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}
