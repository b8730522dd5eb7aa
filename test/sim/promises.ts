/** What Deployments promise while they are updated, and what they have. */
import { deployment, type Deployment } from "../../libs/model/kinds/deployment.ts";
import { node, type Node } from "../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";
import { rolloutBounds } from "../../libs/model/rollout.ts";
import type { Checker } from "./invariant.ts";
import { controllerUidOf } from "./owners.ts";
import { changesOf, objectIn, objectsIn, type State, touches } from "./state.ts";

/** What one Deployment promises now, and has promised since it was last complete. */
type Promise = { readonly most: number; readonly fewest: number };

export type Judged = {
  readonly self: Deployment;
  readonly live: readonly Pod[];
  readonly promise: Promise;
  /** It lost a pod that nobody ended since it was last complete: fewer are no fault of a controller's. */
  readonly disturbed: boolean;
};

/**
 * Follows each Deployment's promises. Until an update is complete those of before hold as well: what
 * was decided under them may be committed later.
 */
export function promised(check: (judged: Judged) => string | undefined): Checker {
  const since = new Map<string, { promise: Promise; disturbed: boolean; complete: boolean }>();
  return function* (state) {
    if (!touches(state, deployment, replicaSet, pod, node)) return;
    const sets = Map.groupBy(objectsIn(state, replicaSet), controllerUidOf);
    const pods = Map.groupBy(objectsIn(state, pod), controllerUidOf);
    const nodesReady = [...objectsIn(state, node)].every(isReadyNode);
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
      const lostNow = !nodesReady || own.some((set) => lost.has(set.metadata.uid));
      const disturbed = lostNow || (before?.disturbed === true && !before.complete);
      const wrong = check({ self, live, promise: both, disturbed });
      if (wrong !== undefined) yield wrong;
      const complete = isComplete(self, live);
      since.set(uid, { promise: complete ? now : both, disturbed, complete });
    }
  };
}

/** The owners of pods that the transaction takes from the available without having ended them. */
function lossesIn(state: State): ReadonlySet<string> {
  const lost = new Set<string>();
  for (const { before, after } of changesOf(state, pod)) {
    if (before === undefined || readySinceMs(before) === undefined) continue;
    const conditions = after?.status?.conditions ?? [];
    const disrupted = conditions.some(({ type }) => type === "DisruptionTarget");
    const ended = after === undefined || after.metadata.deletionTimestamp !== undefined;
    const unready = after === undefined || readySinceMs(after) === undefined;
    const byItself = unready && !ended;
    const removed = after === undefined && before.metadata.deletionTimestamp === undefined;
    // Who drains a node ends its pods, and cordons it first.
    const home = objectIn(state, node, undefined, before.spec.nodeName ?? "");
    const drained = ended && home?.spec.unschedulable === true;
    if (disrupted || byItself || removed || drained) lost.add(controllerUidOf(before));
  }
  return lost;
}

function promiseOf({ spec }: Deployment): Promise {
  const rolling = spec.strategy.rollingUpdate;
  if (spec.strategy.type === "Recreate" || rolling === undefined) {
    return { most: spec.replicas, fewest: 0 };
  }
  const { surge, unavailable } = rolloutBounds(rolling, spec.replicas);
  return { most: spec.replicas + surge, fewest: Math.max(spec.replicas - unavailable, 0) };
}

function isComplete({ spec, metadata, status }: Deployment, live: readonly Pod[]): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === spec.replicas &&
    status.availableReplicas === spec.replicas &&
    live.length === spec.replicas &&
    live.every((one) => readySinceMs(one) !== undefined)
  );
}

const isReadyNode = ({ status }: Node): boolean =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
