/** What a Job's pods come to: which are active, which have ended and are not counted yet. Pure. */
import {
  below,
  hasIndex,
  type Indexes,
  noIndexes,
  parseIndexes,
  sizeOf,
  withIndexes,
} from "../../../../libs/model/batch/indexes.ts";
import type { Job } from "../../../../libs/model/kinds/job.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { isLive, isTerminating } from "../../../../libs/model/pod/state.ts";
import { type PlacedPod } from "../workload/pod-state.ts";
import { indexIn, isIndexed, priorFailures } from "./completion-index.ts";
import { actionFor, type FailureAction } from "./failure-policy.ts";
import { isTracked } from "./tracking.ts";

export type Failure = { readonly pod: Pod; readonly action: FailureAction };

/** Pods that have ended and still hold their finalizer: each is counted once (O7). */
export type Ended = { readonly succeeded: readonly Pod[]; readonly failed: readonly Failure[] };

export type Tally = {
  readonly active: readonly PlacedPod[];
  /** Deleted, and perhaps still running. */
  readonly terminating: readonly Pod[];
  readonly ended: Ended;
};

export function tallyOf(self: Job, owned: readonly PlacedPod[]): Tally {
  const pods = owned.map(({ pod }) => pod);
  const tracked = pods.filter(isTracked);
  return {
    active: owned.filter(({ pod }) => isLive(pod)),
    terminating: pods.filter(isTerminating),
    ended: {
      succeeded: tracked.filter(({ status }) => status?.phase === "Succeeded"),
      failed: tracked
        .filter((pod) => hasFailed(self, pod))
        .map((pod) => ({ pod, action: actionFor(self.spec.podFailurePolicy, pod) })),
    },
  };
}

/** Whether the Job waits for pods to have failed before it replaces them. */
export const replacesFailedOnly = ({ spec }: Job): boolean =>
  spec.podReplacementPolicy === "Failed";

/** A deleted pod may never say that it failed; unless the Job waits for that, it counts at once. */
function hasFailed(self: Job, { metadata, spec, status }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  if (metadata.deletionTimestamp === undefined || status?.phase === "Succeeded") return false;
  return !replacesFailedOnly(self) || (spec.nodeName ?? "") === "";
}

export type Progress = {
  readonly succeeded: number;
  readonly failed: number;
  /** Empty unless the Job is Indexed. */
  readonly completed: Indexes;
  /** Empty unless the Job limits the failures of each index. */
  readonly failedIndexes: Indexes;
};

/** The Job's counts once those pods are counted too. */
export function progressWith(self: Job, { succeeded, failed }: Ended): Progress {
  const before = self.status ?? {};
  const indexed = isIndexed(self);
  const counts = failed.filter(
    ({ pod, action }) =>
      action.action !== "Ignore" && (!indexed || indexIn(self, pod) !== undefined),
  );
  const failures = (before.failed ?? 0) + counts.length;
  if (!indexed) {
    const successes = (before.succeeded ?? 0) + succeeded.length;
    return {
      succeeded: successes,
      failed: failures,
      completed: noIndexes,
      failedIndexes: noIndexes,
    };
  }
  const limit = self.spec.completions ?? 0;
  const known = (text = "") => below(parseIndexes(text) ?? noIndexes, limit);
  const completed = withIndexes(
    known(before.completedIndexes),
    succeeded.flatMap((pod) => indexIn(self, pod) ?? []),
  );
  const out = failed.filter((failure) => failsIndex(self, failure));
  const failedIndexes = withIndexes(
    known(before.failedIndexes),
    out
      .flatMap(({ pod }) => indexIn(self, pod) ?? [])
      .filter((index) => !hasIndex(completed, index)),
  );
  return { succeeded: sizeOf(completed), failed: failures, completed, failedIndexes };
}

function failsIndex({ spec }: Job, { pod, action: { action } }: Failure): boolean {
  if (spec.backoffLimitPerIndex === undefined) return false;
  if (action === "FailIndex") return true;
  return action !== "Ignore" && priorFailures(pod).counted >= spec.backoffLimitPerIndex;
}

/**
 * Where each index has a limit of failures, the last failed pod of an index stays uncounted until its
 * successor is made: its annotations say how often the index failed.
 *
 * @returns index → that pod
 */
export function awaitingSuccessors(
  self: Job,
  { ended, active }: Tally,
  { completed, failedIndexes }: Progress,
): ReadonlyMap<number, Failure> {
  const awaiting = new Map<number, Failure>();
  if (self.spec.backoffLimitPerIndex === undefined) return awaiting;
  const running = new Set(active.map(({ pod }) => indexIn(self, pod)));
  for (const failure of ended.failed) {
    const index = indexIn(self, failure.pod);
    if (index === undefined || running.has(index)) continue;
    if (hasIndex(completed, index) || hasIndex(failedIndexes, index)) continue;
    const known = awaiting.get(index);
    if (known === undefined || allFailures(failure.pod) > allFailures(known.pod)) {
      awaiting.set(index, failure);
    }
  }
  return awaiting;
}

/** Those of its index before the pod. */
export function allFailures(pod: Pod): number {
  const { counted, ignored } = priorFailures(pod);
  return counted + ignored;
}
