import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import {
  podDisruptionBudget,
  type PodDisruptionBudget,
} from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { replicationController } from "../../../libs/model/kinds/replicationcontroller.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { podsOf } from "../../../libs/model/rollout.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  type Decision,
  type ObjectChange,
  type OwnerReference,
} from "../controller.ts";
import { controllerOf } from "./workload/claims.ts";
import { readySinceMs } from "../../../libs/model/pod/state.ts";
import { placed, type PlacedPod } from "./workload/pod-state.ts";

/** An eviction that was permitted but of which nothing was seen is forgotten after this long. */
const disruptionKeptMs = 120_000;

/** What a controller of pods wants; undefined when its kind says no number. */
export type Scale = { readonly uid: string; readonly replicas: number | undefined };
export type World = {
  /** Those that it selects. */
  readonly pods: readonly PlacedPod[];
  /** The controllers of these pods, each once; pods without one do not count. */
  readonly scales: readonly Scale[];
};
type Status = NonNullable<PodDisruptionBudget["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];

/**
 * Says how many pods may be evicted now. Only counts: what permits an eviction writes this status,
 * with the expectation that it still holds (O3).
 */
export function decide(
  self: PodDisruptionBudget,
  { pods, scales }: World,
  now: EpochMs,
): Decision<never, PodDisruptionBudget> {
  const disrupted = stillDisrupted(self, pods, now);
  const healthy = pods.filter(
    (one) =>
      one.pod.metadata.deletionTimestamp === undefined &&
      disrupted[one.pod.metadata.name] === undefined &&
      one.nodeReady &&
      readySinceMs(one.pod) !== undefined,
  ).length;
  const wanted = wantedOf(self, pods, scales);
  const spare = wanted === undefined ? 0 : healthy - wanted.healthy;
  const allowed = wanted === undefined || wanted.pods <= 0 ? 0 : Math.max(spare, 0);
  const judged =
    wanted === undefined
      ? { reason: "SyncFailed", message: "a selected pod's controller does not say its scale" }
      : { reason: allowed > 0 ? "SufficientPods" : "InsufficientPods", message: "" };
  const status: Status = {
    observedGeneration: self.metadata.generation ?? 0,
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: wanted?.healthy ?? 0,
    expectedPods: wanted?.pods ?? 0,
    conditions: conditionsOf(self, { ...judged, status: allowed > 0 ? "True" : "False" }, now),
  };
  const ends = Object.values(disrupted).map((at) => Date.parse(at) + disruptionKeptMs);
  const wakeAt = ends.length > 0 ? Math.min(...ends) : undefined;
  return { writes: [], status, wakeAt, events: [] };
}

/** Permitted evictions whose pod is still there and not yet being deleted. */
function stillDisrupted({ status }: PodDisruptionBudget, pods: readonly PlacedPod[], now: EpochMs) {
  const staying = new Set(
    pods
      .filter(({ pod }) => pod.metadata.deletionTimestamp === undefined)
      .map(({ pod }) => pod.metadata.name),
  );
  const entries = Object.entries(status?.disruptedPods ?? {}).filter(
    ([name, at]) => staying.has(name) && Date.parse(at) + disruptionKeptMs > now,
  );
  return Object.fromEntries(entries);
}

/** How many pods there should be, and how many of these healthy; undefined when nobody can say. */
function wantedOf(
  { spec: { minAvailable, maxUnavailable } }: PodDisruptionBudget,
  pods: readonly PlacedPod[],
  scales: readonly Scale[],
): { readonly pods: number; readonly healthy: number } | undefined {
  if (typeof minAvailable === "number") return { pods: pods.length, healthy: minAvailable };
  if (minAvailable === undefined && maxUnavailable === undefined) {
    return { pods: pods.length, healthy: 0 };
  }
  let expected = 0;
  for (const { replicas } of scales) {
    if (replicas === undefined) return undefined;
    expected += replicas;
  }
  if (minAvailable !== undefined) {
    return { pods: expected, healthy: Math.ceil(podsOf(minAvailable, expected)) };
  }
  const missing = Math.ceil(podsOf(maxUnavailable ?? 0, expected));
  return { pods: expected, healthy: Math.max(expected - missing, 0) };
}

function conditionsOf(
  self: PodDisruptionBudget,
  judged: Pick<Condition, "status" | "reason" | "message">,
  now: EpochMs,
): Condition[] {
  const all = self.status?.conditions ?? [];
  const was = all.find(({ type }) => type === "DisruptionAllowed");
  const since = was?.status === judged.status ? was.lastTransitionTime : undefined;
  const next: Condition = {
    type: "DisruptionAllowed",
    ...judged,
    observedGeneration: self.metadata.generation ?? 0,
    lastTransitionTime: since ?? timeOf(now),
  };
  return [...all.filter((one) => one !== was), next];
}

const scaled: readonly Kind[] = [deployment, replicaSet, replicationController, statefulSet];

/** What the controller wants; a ReplicaSet's Deployment, where it has one, speaks for it. */
function scaleOf(view: ClusterView, namespace: string, owner: OwnerReference): Scale {
  const kind = scaled.find((one) => one.kind === owner.kind);
  const found = kind && (view.get(kind, namespace, owner.name) as Scaled | undefined); // Each has a scale.
  if (found?.metadata.uid !== owner.uid) return { uid: owner.uid, replicas: undefined };
  const above = controllerOf(found);
  if (above?.kind === "Deployment") return scaleOf(view, namespace, above);
  return { uid: owner.uid, replicas: found.spec.replicas };
}

type Scaled = {
  readonly metadata: Pod["metadata"];
  readonly spec: { readonly replicas: number };
};

/** A pod concerns the budgets that select it, or did; a scale, those of its pods. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  const { kind, metadata } = object ?? {};
  if (object?.apiVersion === "v1" && kind === "Node") {
    for (const one of view.list(pod, { node: metadata?.name ?? "" })) yield* selecting(view, one);
  } else if (object?.apiVersion === "v1" && kind === "Pod") {
    for (const side of [before, after]) if (side !== undefined) yield* selecting(view, side);
  } else if (scaled.some((one) => one.kind === kind)) {
    const { namespace = "" } = metadata ?? {};
    for (const one of view.list(podDisruptionBudget, { namespace })) yield actorName(one.metadata);
  }
}

function* selecting(
  view: ClusterView,
  { metadata: { namespace = "", labels } }: Pick<NonNullable<ObjectChange["after"]>, "metadata">,
): Iterable<string> {
  for (const { metadata, spec } of view.list(podDisruptionBudget, { namespace })) {
    if (spec.selector !== undefined && matchesSelector(spec.selector, labels)) {
      yield actorName(metadata);
    }
  }
}

export const podDisruptionBudgets = controller({
  kind: podDisruptionBudget,
  owns: [],
  read(view, { metadata: { namespace }, spec: { selector } }): World {
    const pods = selector === undefined ? [] : view.list(pod, { namespace, selector });
    const owners = pods.flatMap((one) => controllerOf(one) ?? []);
    const scales = [...new Map(owners.map((one) => [one.uid, one])).values()].map((one) =>
      scaleOf(view, namespace, one),
    );
    const once = new Map(scales.map((one) => [one.uid, one])); // Several sets of one Deployment.
    return { pods: placed(view, pods), scales: [...once.values()] };
  },
  decide,
  concerns,
});
