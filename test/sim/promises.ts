/** What Deployments promise while they are updated, and what they have. */
import { deployment, type Deployment } from "../../libs/model/kinds/deployment.ts";
import { node, type Node } from "../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../libs/model/kinds/replicaset.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";
import { rolloutBounds } from "../../libs/model/rollout.ts";
import type { Checker } from "./invariant.ts";
import { controllerUidOf } from "./owners.ts";
import { readyOf } from "./ready.ts";
import { changesOf, objectIn, objectsIn, type State, touches } from "./state.ts";

/** What one Deployment promises now, and has promised since it was last complete. */
type Promise = { readonly most: number; readonly fewest: number };

export type Judged = {
  readonly self: Deployment;
  readonly live: readonly Pod[];
  readonly promise: Promise;
  /** Available pods that its controllers did not end, since it was last complete: so many fewer are no fault. */
  readonly losses: number;
  readonly state: State;
};

/**
 * Follows each Deployment's promises. Until an update is complete those of before hold as well: what
 * was decided under them may be committed later.
 */
export function promised(check: (judged: Judged) => string | undefined): Checker {
  const since = new Map<string, { promise: Promise; losses: number; complete: boolean }>();
  return function* (state) {
    if (!touches(state, deployment, replicaSet, pod, node)) return;
    const sets = Map.groupBy(objectsIn(state, replicaSet), controllerUidOf);
    const pods = Map.groupBy(objectsIn(state, pod), controllerUidOf);
    const lost = lossesIn(state);
    for (const self of objectsIn(state, deployment)) {
      const { uid } = self.metadata;
      const own = sets.get(uid) ?? [];
      const live = own.flatMap((set) => pods.get(set.metadata.uid) ?? []).filter(isLive);
      const now = promiseOf(self);
      const before = since.get(uid);
      const promise =
        before === undefined || before.complete
          ? now
          : {
              most: Math.max(now.most, before.promise.most),
              fewest: Math.min(now.fewest, before.promise.fewest),
            };
      // Of the update that begins with this transaction the promises of before hold too.
      const both =
        before === undefined
          ? { ...now, fewest: 0 }
          : {
              most: Math.max(promise.most, before.promise.most),
              fewest: Math.min(promise.fewest, before.promise.fewest),
            };
      const lostNow = own.reduce((sum, set) => sum + (lost.get(set.metadata.uid) ?? 0), 0);
      const losses = lostNow + (before === undefined || before.complete ? 0 : before.losses);
      const wrong = check({ self, live, promise: both, losses, state });
      if (wrong !== undefined) yield wrong;
      const complete = isComplete(self, own, live, state);
      since.set(uid, { promise: complete ? now : both, losses, complete });
    }
  };
}

/**
 * How many available pods of each owner the transaction takes, where that is not the owner's own turn: a
 * turn that ends pods writes its own object (S2), and whoever drains, evicts or takes what a node lost does not.
 * Those of a node that is not ready any more are lost with it: their owner may end them first.
 */
function lossesIn(state: State): ReadonlyMap<string, number> {
  const turns = new Set([...changesOf(state, replicaSet)].map(({ after }) => after?.metadata.uid));
  const changed = [...changesOf(state, pod)];
  const outages = new Set(
    [...changesOf(state, node)]
      .filter(({ before, after }) => isReady(before) && !isReady(after))
      .map(({ before }) => before?.metadata.name),
  );
  const taken = changed.flatMap(({ before, after }) => {
    if (before === undefined || !isAvailable(before, state)) return [];
    if (after !== undefined && isAvailable(after, state)) return [];
    const owner = controllerUidOf(before);
    return turns.has(owner) ? [] : [owner];
  });
  const unheard = [...objectsIn(state, pod)]
    .filter((one) => outages.has(one.spec.nodeName) && isLive(one))
    .filter((one) => readySinceMs(one) !== undefined)
    .map(controllerUidOf);
  const lost = new Map<string, number>();
  for (const owner of [...taken, ...unheard]) lost.set(owner, (lost.get(owner) ?? 0) + 1);
  return lost;
}

/** Serves, as far as is known: it is ready, and so is its node. */
export const isAvailable = (one: Pod, state: State): boolean =>
  isLive(one) &&
  readySinceMs(one) !== undefined &&
  isReady(objectIn(state, node, undefined, one.spec.nodeName ?? ""));

const isReady = (one: Node | undefined): boolean => readyOf(one)?.status === "True";

function promiseOf({ spec }: Deployment): Promise {
  const rolling = spec.strategy.rollingUpdate;
  if (spec.strategy.type === "Recreate" || rolling === undefined) {
    return { most: spec.replicas, fewest: 0 };
  }
  const { surge, unavailable } = rolloutBounds(rolling, spec.replicas);
  return { most: spec.replicas + surge, fewest: Math.max(spec.replicas - unavailable, 0) };
}

/** Its status may be of before: one set alone is to have pods, and has them. */
function isComplete(
  { spec, metadata, status }: Deployment,
  sets: readonly ReplicaSet[],
  live: readonly Pod[],
  state: State,
): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === spec.replicas &&
    status.availableReplicas === spec.replicas &&
    live.length === spec.replicas &&
    sets.every((set) => set.spec.replicas === 0 || set.spec.replicas === spec.replicas) &&
    sets.filter((set) => set.spec.replicas > 0).length <= 1 &&
    live.every((one) => isAvailable(one, state))
  );
}
