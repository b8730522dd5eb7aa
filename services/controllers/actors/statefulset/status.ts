import type { StatefulSet, StatefulSetStatus } from "../../../../libs/model/kinds/statefulset.ts";
import { isLive, isTerminal, readySinceMs } from "../../../../libs/model/pod/state.ts";
import { revisionNameOf } from "./identity.ts";
import type { Member } from "./step.ts";

export type Revisions = {
  /** The name of the revision that its pods are at, or come from. */
  readonly current: string;
  /** The template's. */
  readonly update: string;
};

/** What there is, at the cut; once all pods are of the template's revision, that is the current one. */
export function statusOf(
  self: StatefulSet,
  members: readonly Member[],
  { current, update }: Revisions,
): StatefulSetStatus {
  const pods = members.map(({ placed }) => placed).filter(({ pod }) => !isTerminal(pod));
  const live = pods.filter(({ pod }) => isLive(pod));
  const of = (revision: string) =>
    live.filter(({ pod }) => revisionNameOf(pod) === revision).length;
  const ready = live.filter((one) => one.nodeReady && readySinceMs(one.pod) !== undefined).length;
  const { replicas } = self.spec;
  const updated = of(update);
  const done = updated === replicas && ready === replicas && pods.length === replicas;
  const { collisionCount, conditions } = self.status ?? {};
  return {
    observedGeneration: self.metadata.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: members.filter((one) => one.available).length,
    currentReplicas: done ? updated : of(current),
    updatedReplicas: updated,
    currentRevision: done ? update : current,
    updateRevision: update,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}
