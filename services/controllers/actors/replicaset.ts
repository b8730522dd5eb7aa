import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  create,
  type Decision,
  normal,
  remove,
  type StoredObject,
} from "../controller.ts";
import { isLive, readySinceMs } from "../../../libs/model/pod/state.ts";
import { claims, controllerOf } from "./workload/claims.ts";
import { type NewPod, podFrom, podNames } from "./workload/new-pods.ts";
import { availableAtMs, leastLossFirst, type PlacedPod, placed } from "./workload/pod-state.ts";

/** Bounds one transaction. The pods it creates wake the actor for the rest. */
export const writesMax = 200;
const bounded = (count: number) => Math.min(Math.max(count, 0), writesMax);

export type World = {
  /** Its pods, and those of its namespace that it may adopt. */
  readonly pods: readonly PlacedPod[];
};
type ReplicaSetDecision = Decision<Pod, ReplicaSet>;

/** Makes the number of live pods equal `spec.replicas`. */
export function decide(self: ReplicaSet, world: World, now: EpochMs): ReplicaSetDecision {
  const { minReadySeconds, selector } = self.spec;
  const claimed = claims(
    self,
    selector,
    world.pods.map((one) => one.pod),
  );
  const names = new Set(claimed.owned.map(({ metadata }) => metadata.name));
  const owned = world.pods.filter((one) => names.has(one.pod.metadata.name));
  const live = owned.filter((one) => isLive(one.pod));
  const ending = self.metadata.deletionTimestamp !== undefined;
  const missing = (ending ? live.length : self.spec.replicas) - live.length;
  const taken = new Set(world.pods.map((one) => one.pod.metadata.name));
  const born = newPods(self, bounded(missing), taken);
  const doomed = leastLossFirst(live).slice(0, bounded(-missing));
  // A pod that is adopted in this turn is deleted in the next: one write a key.
  const adopting = new Set(claimed.writes.map(({ object }) => object.metadata.name));
  const doomedNow = doomed.filter((one) => !adopting.has(one.pod.metadata.name));

  const availableAt = live.flatMap((one) => availableAtMs(one, minReadySeconds) ?? []);
  const pending = availableAt.filter((at) => at > now);
  return {
    writes: [...claimed.writes, ...born.map(create), ...doomedNow.map((one) => remove(one.pod))],
    status: {
      ...self.status,
      replicas: live.length, // As seen: the next turn sees what this one writes.
      fullyLabeledReplicas: live.filter((one) => isFullyLabelled(self, one.pod)).length,
      readyReplicas: live.filter(isReady).length,
      availableReplicas: availableAt.length - pending.length,
      observedGeneration: self.metadata.generation ?? 0,
    },
    wakeAt: pending.length > 0 ? Math.min(...pending) : undefined,
    events: [
      ...born.map(({ metadata }) => normal("SuccessfulCreate", `Created pod: ${metadata.name}`)),
      ...doomedNow.map((one) =>
        normal("SuccessfulDelete", `Deleted pod: ${one.pod.metadata.name}`),
      ),
    ],
  };
}

function newPods(self: ReplicaSet, count: number, taken: ReadonlySet<string>): readonly NewPod[] {
  const { name } = self.metadata;
  const stems = Array.from({ length: count }, () => name);
  return podNames(self, stems, taken).map((one) => podFrom(self, self.spec.template, one, name));
}

const isReady = ({ pod, nodeReady }: PlacedPod) => nodeReady && readySinceMs(pod) !== undefined;

const isFullyLabelled = ({ spec }: ReplicaSet, { metadata }: Pod): boolean =>
  matchesSelector({ matchLabels: spec.template.metadata?.labels ?? {} }, metadata.labels);

/** Pods that nobody controls concern every ReplicaSet that selects them; a node's readiness, its pods' owners. */
function* concerns(
  {
    before,
    after,
  }: { readonly before?: StoredObject | undefined; readonly after?: StoredObject | undefined },
  view: ClusterView,
): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion !== "v1") return;
  if (object.kind === "Node") {
    yield* ownersOn(view, object.metadata.name ?? "");
    return;
  }
  if (object.kind !== "Pod" || after === undefined || controllerOf(after) !== undefined) return;
  const { namespace = "" } = after.metadata;
  for (const self of view.list(replicaSet, { namespace })) {
    if (matchesSelector(self.spec.selector, after.metadata.labels)) yield actorName(self.metadata);
  }
}

function* ownersOn(view: ClusterView, node: string): Iterable<string> {
  for (const { metadata } of view.list(pod, { node })) {
    const owner = controllerOf({ metadata });
    if (owner?.kind === "ReplicaSet") {
      yield actorName({ namespace: metadata.namespace, name: owner.name });
    }
  }
}

export const replicaSets = controller({
  kind: replicaSet,
  owns: [pod],
  read(view, self): World {
    const { namespace, uid } = self.metadata;
    const own = view.list(pod, { namespace, ownerUid: uid });
    const orphans = view
      .list(pod, { namespace, selector: self.spec.selector })
      .filter((one) => controllerOf(one) === undefined);
    return { pods: placed(view, [...own, ...orphans]) };
  },
  decide,
  concerns,
});
