import { dequal } from "dequal";
import { deployment, type Deployment } from "../../../libs/model/kinds/deployment.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  create,
  type Decision,
  type EventNote,
  type Newborn,
  normal,
  type ObjectChange,
  remove,
  update,
  type Write,
} from "../controller.ts";
import { conditionsFor, isComplete } from "./deployment/conditions.ts";
import {
  desiredThen,
  expired,
  maxThen,
  newSetAnnotations,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
} from "./deployment/revision.ts";
import { type RolloutBounds, rolloutBounds } from "../../../libs/model/rollout.ts";
import { isActive, type Plan, type SetSize, sum } from "./deployment/set-size.ts";
import { nextSizes } from "./deployment/step.ts";
import { createdMs, hashLabel, newSetName, newSetOf, withHash } from "./deployment/template.ts";
import { isLive, isTerminal, isTerminating, readySinceMs } from "../../../libs/model/pod/state.ts";
import { claims, controllerOf, ownedBy } from "./workload/claims.ts";
import { availableAtMs, placed, type PlacedPod } from "./workload/pod-state.ts";

export type World = {
  /** Its sets, and those of its namespace that it may adopt. */
  readonly sets: readonly ReplicaSet[];
  /** The pods of each set, by the set's uid. */
  readonly podsOf: ReadonlyMap<string, readonly PlacedPod[]>;
};
type DeploymentDecision = Decision<ReplicaSet, Deployment>;
type Status = NonNullable<Deployment["status"]>;

/** Moves the Deployment's sets one step towards its template and its number of pods. */
export function decide(self: Deployment, world: World, now: EpochMs): DeploymentDecision {
  const claimed = claims(self, self.spec.selector, world.sets);
  const adopting = new Set(claimed.writes.map(({ object }) => nameOf(object)));
  const owned = claimed.owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const pods = (set: ReplicaSet) => world.podsOf.get(set.metadata.uid) ?? [];
  const fresh = newSetOf(self, owned);
  const old = owned.filter((set) => set !== fresh);
  const desired = self.spec.replicas;
  const bounds = boundsOf(self);
  const at = { self, now, bounds };
  if (self.metadata.deletionTimestamp !== undefined)
    return rest(at, owned, fresh, pods, claimed.writes);

  const name = fresh === undefined ? newSetName(self) : nameOf(fresh);
  if (fresh === undefined && world.sets.some((set) => nameOf(set) === name)) return collided(self);
  const sizes = owned.map((set) => sizeOf(set, set === fresh, pods(set), at));
  const unborn = fresh === undefined && self.spec.paused !== true ? [unbornSize(name, now)] : [];
  const plan = nextSizes([...sizes, ...unborn], {
    strategy: self.spec.strategy.type,
    paused: self.spec.paused === true,
    desired,
    bounds,
    oldPods: sum(old, (set) => pods(set).filter((one) => !isTerminal(one.pod)).length),
  });

  const revision = nextRevision(fresh, old);
  const born =
    unborn.length > 0 && plan.has(name)
      ? newborn(self, name, { replicas: plan.get(name) ?? 0, revision, surge: bounds.surge })
      : undefined;
  const sized = owned
    .filter((set) => !adopting.has(nameOf(set)))
    .map((set) => ({ set, next: resized(set, set === fresh, plan, at, revision) }))
    .filter(({ set, next }) => !dequal(set, next));
  const { status, wakeAt } = statusOf(at, owned, fresh, pods, born?.metadata.name);
  const done = isComplete(self, status) && plan.size < 2 && sized.length === 0;
  const live = (set: ReplicaSet) => pods(set).length;
  const limit = self.spec.revisionHistoryLimit ?? 10;
  const stale = done || self.spec.paused === true ? expired(old, live, limit) : [];
  return {
    writes: [
      ...claimed.writes,
      ...sized.map(({ next }) => update(next)),
      ...(born === undefined ? [] : [create(born)]),
      ...stale.filter((set) => !sized.some((one) => one.set === set)).map((set) => remove(set)),
    ],
    status,
    wakeAt,
    events: [
      ...(born === undefined ? [] : [scaledNote(name, 0, born.spec.replicas)]),
      ...sized
        .filter(({ set, next }) => set.spec.replicas !== next.spec.replicas)
        .map(({ set, next }) => scaledNote(nameOf(set), set.spec.replicas, next.spec.replicas)),
    ],
    self: fresh === undefined && born === undefined ? undefined : numbered(self, revision),
  };
}

type At = { readonly self: Deployment; readonly now: EpochMs; readonly bounds: RolloutBounds };
type PodsOf = (set: ReplicaSet) => readonly PlacedPod[];

/** Only looks: nothing is sized while the Deployment is being deleted. */
function rest(
  at: At,
  owned: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  pods: PodsOf,
  writes: readonly Write<ReplicaSet>[],
): DeploymentDecision {
  const { status, wakeAt } = statusOf(at, owned, fresh, pods, undefined);
  return { writes, status, wakeAt, events: [] };
}

/** Another template has this one's name: the next turn hashes with a higher count. */
function collided({ status }: Deployment): DeploymentDecision {
  const collisionCount = (status?.collisionCount ?? 0) + 1;
  return {
    writes: [],
    status: { ...status, collisionCount } as Status, // The rest is as it was.
    wakeAt: undefined,
    events: [],
  };
}

/** Under Recreate every pod that is missing costs minimum availability, as in Kubernetes. */
function boundsOf({ spec }: Deployment): RolloutBounds {
  if (spec.strategy.type === "Recreate") return { surge: 0, unavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = spec.strategy.rollingUpdate ?? {};
  return rolloutBounds({ maxSurge, maxUnavailable }, spec.replicas);
}

function sizeOf(
  set: ReplicaSet,
  isNew: boolean,
  pods: readonly PlacedPod[],
  { self, now }: At,
): SetSize {
  return {
    name: nameOf(set),
    isNew,
    replicas: set.spec.replicas,
    live: pods.filter((one) => isLive(one.pod)).length,
    available: availableIn(self, pods, now).length,
    createdMs: createdMs(set),
    desiredThen: desiredThen(set),
    maxThen: maxThen(set),
  };
}

const unbornSize = (name: string, now: EpochMs): SetSize => ({
  name,
  isNew: true,
  replicas: 0,
  live: 0,
  available: 0,
  createdMs: now,
  desiredThen: undefined,
  maxThen: undefined,
});

function newborn(
  self: Deployment,
  name: string,
  {
    replicas,
    revision,
    surge,
  }: { readonly replicas: number; readonly revision: number; readonly surge: number },
): Newborn & { readonly spec: { readonly replicas: number } } {
  const hash = name.slice(self.metadata.name.length + 1);
  const template = withHash(self.spec.template, hash);
  const { selector, minReadySeconds } = self.spec;
  const metadata = {
    name,
    namespace: self.metadata.namespace,
    labels: template.metadata?.labels ?? {},
    annotations: {
      ...newSetAnnotations(self, undefined, revision),
      ...sizeAnnotations(self.spec.replicas, surge),
    },
    ownerReferences: [ownedBy(self)],
  };
  const selecting = { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata,
    spec: {
      replicas,
      selector: selecting,
      template,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    },
  } as Newborn & { readonly spec: { readonly replicas: number } };
}

/** A set as it shall be: its size, what it was sized for, and for the new one what follows the Deployment. */
function resized(
  set: ReplicaSet,
  isNew: boolean,
  plan: Plan,
  { self, bounds }: At,
  revision: number,
): ReplicaSet {
  const replicas = plan.get(nameOf(set)) ?? set.spec.replicas;
  const named = isNew ? newSetAnnotations(self, set, revision) : (set.metadata.annotations ?? {});
  const marked =
    replicas !== set.spec.replicas || isActive({ replicas } as SetSize)
      ? { ...named, ...sizeAnnotations(self.spec.replicas, bounds.surge) }
      : named;
  const { minReadySeconds } = isNew ? self.spec : set.spec;
  return {
    ...set,
    metadata: { ...set.metadata, annotations: marked },
    spec: { ...set.spec, replicas, ...(minReadySeconds !== undefined && { minReadySeconds }) },
  };
}

function statusOf(
  { self, now, bounds }: At,
  owned: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  pods: PodsOf,
  born: string | undefined,
): { readonly status: Status; readonly wakeAt: EpochMs | undefined } {
  const there = owned.flatMap(pods);
  const all = there.filter((one) => isLive(one.pod));
  const updated = fresh === undefined ? [] : pods(fresh).filter((one) => isLive(one.pod));
  const available = availableIn(self, all, now).length;
  const unavailable = Math.max(sum(owned, ({ spec }) => spec.replicas) - available, 0);
  const { collisionCount } = self.status ?? {};
  const counts = {
    observedGeneration: self.metadata.generation ?? 0,
    replicas: all.length,
    updatedReplicas: updated.length,
    readyReplicas: all.filter((one) => one.nodeReady && readySinceMs(one.pod) !== undefined).length,
    availableReplicas: available,
    unavailableReplicas: unavailable,
    terminatingReplicas: there.filter((one) => isTerminating(one.pod)).length,
    ...(collisionCount !== undefined && { collisionCount }),
  };
  const freshName = fresh === undefined ? born : nameOf(fresh);
  const { conditions, deadlineAt } = conditionsFor(self, {
    now,
    status: counts, // Zeros stand where the schema has them optional.
    minAvailable: self.spec.replicas - bounds.unavailable,
    fresh: freshName === undefined ? undefined : { name: freshName, created: born !== undefined },
    freshSet: fresh,
  });
  const pending = all
    .flatMap((one) => availableAtMs(one, self.spec.minReadySeconds ?? 0) ?? [])
    .filter((at) => at > now);
  const wakes = [...pending, ...(deadlineAt === undefined ? [] : [deadlineAt + 1])];
  return {
    status: { ...counts, conditions }, // As above.
    wakeAt: wakes.length > 0 ? Math.min(...wakes) : undefined,
  };
}

function availableIn({ spec }: Deployment, pods: readonly PlacedPod[], now: EpochMs) {
  return pods.filter((one) => {
    const at = availableAtMs(one, spec.minReadySeconds ?? 0);
    return at !== undefined && at <= now;
  });
}

/** The Deployment says which revision its template is. */
function numbered(
  self: Deployment,
  revision: number,
): Exclude<DeploymentDecision["self"], undefined> | undefined {
  if (revisionOf(self) === revision) return undefined;
  const annotations = { ...self.metadata.annotations, [revisionAnnotation]: String(revision) };
  return update({ ...self, metadata: { ...self.metadata, annotations } });
}

const scaledNote = (name: string, from: number, to: number): EventNote =>
  normal(
    "ScalingReplicaSet",
    `Scaled ${to > from ? "up" : "down"} replica set ${name} from ${from} to ${to}`,
  );

const nameOf = ({ metadata }: { readonly metadata: { readonly name: string } }) => metadata.name;

/** A pod concerns the Deployment of its set; a node's readiness, those of its pods. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion === "v1" && object.kind === "Pod") {
    for (const side of [before, after]) yield* deploymentOf(view, side);
  } else if (object?.apiVersion === "v1" && object.kind === "Node") {
    for (const one of view.list(pod, { node: object.metadata.name ?? "" }))
      yield* deploymentOf(view, one);
  } else if (
    object?.kind === "ReplicaSet" &&
    after !== undefined &&
    controllerOf(after) === undefined
  ) {
    for (const self of view.list(deployment, { namespace: after.metadata.namespace ?? "" })) {
      if (matchesSelector(self.spec.selector, after.metadata.labels))
        yield actorName(self.metadata);
    }
  }
}

function* deploymentOf(view: ClusterView, child: ObjectChange["after"]): Iterable<string> {
  const owner = child && controllerOf(child);
  if (owner?.kind !== "ReplicaSet") return;
  const namespace = child?.metadata.namespace;
  const set = view.get(replicaSet, namespace, owner.name);
  const above = set && controllerOf(set);
  if (above?.kind === "Deployment") yield actorName({ namespace, name: above.name });
}

export const deployments = controller({
  kind: deployment,
  owns: [replicaSet],
  read(view, self): World {
    const { namespace, uid } = self.metadata;
    const orphans = view
      .list(replicaSet, { namespace, selector: self.spec.selector })
      .filter((set) => controllerOf(set) === undefined);
    const own = view
      .list(replicaSet, { namespace, ownerUid: uid })
      .filter((set) => controllerOf(set)?.uid === uid);
    // Another's set may hold the name that the new one would get.
    const named = view.get(replicaSet, namespace, newSetName(self));
    const sets = [...new Set([...own, ...orphans, ...(named === undefined ? [] : [named])])];
    const podsOf = new Map(
      sets.map(({ metadata }) => {
        const own = view.list(pod, {
          ownerUid: metadata.uid,
          ...(namespace !== undefined && { namespace }),
        });
        return [metadata.uid, placed(view, own)] as const;
      }),
    );
    return { sets, podsOf };
  },
  decide,
  concerns,
});
