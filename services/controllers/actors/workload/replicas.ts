/** What a ReplicaSet and a ReplicationController have in common: a number of pods, all alike. */
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import { pod, type Pod } from "../../../../libs/model/kinds/pod.ts";
import { type LabelSelector, matchesSelector } from "../../../../libs/model/label-selector.ts";
import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import {
  actorName,
  create,
  type EventNote,
  type Newborn,
  normal,
  type ObjectChange,
  remove,
  type Write,
} from "../../controller.ts";
import { claims, controllerOf } from "./claims.ts";
import { isLive, isTerminating, readySinceMs } from "../../../../libs/model/pod/state.ts";
import { availableAtMs, leastLossFirst, type PlacedPod, placed } from "./pod-state.ts";
import { podFrom, podNames } from "./new-pods.ts";

/** Bounds one transaction. The pods it creates wake the actor for the rest. */
export const writesMax = 200;
const bounded = (count: number) => Math.min(Math.max(count, 0), writesMax);

export type World = {
  /** Its pods, and those of its namespace that it may adopt. */
  readonly pods: readonly PlacedPod[];
  /** Live pods of the same application, which it does not own; read only when some of its own must go. */
  readonly neighbours?: readonly Pod[];
};
type Metadata = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly deletionTimestamp?: string | undefined;
};
export type Replicated = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: {
    readonly replicas: number;
    readonly minReadySeconds: number;
    readonly template: PodTemplate;
  };
};
export type Replicas = {
  readonly writes: readonly Write<Pod>[];
  readonly counts: {
    readonly replicas: number;
    readonly fullyLabeledReplicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
    readonly observedGeneration: number;
  };
  /** Its pods that were deleted and have not ended. */
  readonly terminating: number;
  readonly wakeAt: EpochMs | undefined;
  readonly events: readonly EventNote[];
};

/** Makes the number of live pods equal `spec.replicas`. */
export function decideReplicas(
  self: Replicated,
  selector: LabelSelector,
  world: World,
  now: EpochMs,
): Replicas {
  const { minReadySeconds, template } = self.spec;
  // What has ended, or is about to, is neither adopted nor released.
  const candidates = world.pods.filter((one) => isLive(one.pod));
  const claimed = claims(
    self,
    selector,
    candidates.map((one) => one.pod),
  );
  const names = new Set(claimed.owned.map(({ metadata }) => metadata.name));
  const live = candidates.filter((one) => names.has(one.pod.metadata.name));
  const ending = self.metadata.deletionTimestamp !== undefined;
  const missing = (ending ? live.length : self.spec.replicas) - live.length;
  const taken = new Set(world.pods.map((one) => one.pod.metadata.name));
  const born = newPods(self, bounded(missing), taken);
  const doomed = leastLossFirst(live, world.neighbours).slice(0, bounded(-missing));
  // A pod that is adopted in this turn is deleted in the next: one write a key.
  const adopting = new Set(claimed.writes.map(({ object }) => object.metadata.name));
  const doomedNow = doomed.filter((one) => !adopting.has(one.pod.metadata.name));

  const availableAt = live.flatMap((one) => availableAtMs(one, minReadySeconds) ?? []);
  const pending = availableAt.filter((at) => at > now);
  const { labels = {} } = template.metadata;
  return {
    writes: [...claimed.writes, ...born.map(create), ...doomedNow.map((one) => remove(one.pod))],
    counts: {
      replicas: live.length, // As seen: the next turn sees what this one writes.
      fullyLabeledReplicas: live.filter((one) =>
        matchesSelector({ matchLabels: labels }, one.pod.metadata.labels),
      ).length,
      readyReplicas: live.filter(isReady).length,
      availableReplicas: availableAt.length - pending.length,
      observedGeneration: self.metadata.generation ?? 0,
    },
    terminating: world.pods.filter((one) => isTerminating(one.pod) && isOwn(self, one.pod)).length,
    wakeAt: pending.length > 0 ? Math.min(...pending) : undefined,
    events: [
      ...born.map(({ metadata }) => normal("SuccessfulCreate", `Created pod: ${metadata.name}`)),
      ...doomedNow.map((one) =>
        normal("SuccessfulDelete", `Deleted pod: ${one.pod.metadata.name}`),
      ),
    ],
  };
}

function newPods(self: Replicated, count: number, taken: ReadonlySet<string>): readonly Newborn[] {
  const stems = Array.from({ length: count }, () => self.metadata.name);
  return podNames(self, stems, taken).map((name) => podFrom(self, self.spec.template, { name }));
}

const isOwn = ({ metadata }: Replicated, pod: Pod) => controllerOf(pod)?.uid === metadata.uid;
const isReady = ({ pod, nodeReady }: PlacedPod) => nodeReady && readySinceMs(pod) !== undefined;

/** The pods of an owner, and those that nobody controls and that it selects. */
export function podsFor(
  view: ClusterView,
  { metadata: { namespace, uid } }: { readonly metadata: Pick<Metadata, "namespace" | "uid"> },
  selector: LabelSelector,
): readonly PlacedPod[] {
  const own = view.list(pod, { namespace, ownerUid: uid });
  const orphans = view
    .list(pod, { namespace, selector })
    .filter((one) => controllerOf(one) === undefined);
  return placed(view, [...own, ...orphans]);
}

type Selecting = {
  readonly kind: string;
  /** Those of a namespace, each with what it selects. */
  readonly all: (namespace: string) => readonly {
    readonly metadata: Metadata;
    readonly selector: LabelSelector;
    /** It could not make its pods when it last tried. */
    readonly refused?: boolean;
  }[];
};

/** What decides whether pods may be made. */
const limiting = ["ResourceQuota", "LimitRange"];

/**
 * Pods that nobody controls concern everyone who selects them; a node's readiness, its pods' owners;
 * what limits a namespace, those whose pods were refused.
 */
export function* podConcerns(
  { before, after }: ObjectChange,
  view: ClusterView,
  { kind, all }: Selecting,
): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion !== "v1") return;
  if (object.kind === "Node") {
    yield* ownersOn(view, object.metadata.name ?? "", kind);
    return;
  }
  if (limiting.includes(object.kind)) {
    for (const { metadata, refused } of all(object.metadata.namespace ?? "")) {
      if (refused === true) yield actorName(metadata);
    }
    return;
  }
  if (object.kind !== "Pod" || after === undefined || controllerOf(after) !== undefined) return;
  for (const { metadata, selector } of all(after.metadata.namespace ?? "")) {
    if (matchesSelector(selector, after.metadata.labels)) yield actorName(metadata);
  }
}

function* ownersOn(view: ClusterView, node: string, kind: string): Iterable<string> {
  for (const { metadata } of view.list(pod, { node })) {
    const owner = controllerOf({ metadata });
    if (owner?.kind === kind) {
      yield actorName({ namespace: metadata.namespace, name: owner.name });
    }
  }
}
