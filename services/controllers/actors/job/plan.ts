/** Which pods a Job that runs makes, and which it takes back. Pure. */
import { firstMissing, sizeOf, union, withIndexes } from "../../../../libs/model/batch/indexes.ts";
import type { Job } from "../../../../libs/model/kinds/job.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { leastLossFirst, type PlacedPod } from "../workload/pod-state.ts";
import { backedOffUntil, backOffMs, endedAtMs } from "./back-off.ts";
import { indexIn, isIndexed } from "./completion-index.ts";
import {
  allFailures,
  type Failure,
  type Progress,
  replacesFailedOnly,
  type Tally,
} from "./progress.ts";

/** A pod to make. */
export type Birth = {
  /** Of an Indexed Job. */
  readonly index: number | undefined;
  /** The pod whose failures it inherits, where each index has its limit. */
  readonly after: Failure | undefined;
};
export type Plan = {
  readonly births: readonly Birth[];
  readonly doomed: readonly PlacedPod[];
  /** When the next pod may be made. */
  readonly wakeAt: EpochMs | undefined;
};
export type PlanFacts = {
  readonly tally: Tally;
  readonly progress: Progress;
  readonly awaiting: ReadonlyMap<number, Failure>;
  readonly owned: readonly PlacedPod[];
  readonly now: EpochMs;
  /** Bounds what is made, and what is taken back. */
  readonly most: number;
};

export function planOf(self: Job, facts: PlanFacts): Plan {
  const { tally, now, most } = facts;
  const { active, terminating } = tally;
  const wanted = wantedActive(self, facts);
  const doomed = surplus(self, active, active.length - wanted).slice(0, most);
  if (doomed.length > 0) return { births: [], doomed, wakeAt: undefined };
  const waiting = replacesFailedOnly(self) ? terminating.length : 0;
  const missing = Math.min(Math.max(wanted - active.length - waiting, 0), most);
  const none = { births: [], doomed: [], wakeAt: undefined };
  if (missing === 0) return none;
  if (self.spec.backoffLimitPerIndex !== undefined) return planPerIndex(self, facts, missing);
  const until = backedOffUntil(facts.owned.map(({ pod }) => pod));
  if (until > now) return { ...none, wakeAt: until };
  if (!isIndexed(self)) {
    const births = Array.from({ length: missing }, () => ({ index: undefined, after: undefined }));
    return { ...none, births };
  }
  const births = freeIndexes(self, facts, missing).map((index) => ({ index, after: undefined }));
  return { ...none, births };
}

/** Never more than there are completions left. */
function wantedActive({ spec }: Job, { progress, tally }: PlanFacts): number {
  const parallelism = spec.parallelism ?? 1;
  if (spec.completions === undefined) {
    return progress.succeeded > 0 ? Math.min(tally.active.length, parallelism) : parallelism;
  }
  const left = spec.completions - progress.succeeded - sizeOf(progress.failedIndexes);
  return Math.min(Math.max(left, 0), parallelism);
}

/** Pods of no index, or of one that is taken, and then those with which least is lost. */
function surplus(self: Job, active: readonly PlacedPod[], count: number): readonly PlacedPod[] {
  if (!isIndexed(self)) return leastLossFirst(active).slice(0, Math.max(count, 0));
  const kept = new Set<number>();
  const wrong: PlacedPod[] = [];
  for (const one of leastLossFirst(active).toReversed()) {
    const index = indexIn(self, one.pod);
    if (index === undefined || kept.has(index)) wrong.push(one);
    else kept.add(index);
  }
  const right = leastLossFirst(active.filter((one) => !wrong.includes(one)));
  return [...wrong, ...right.slice(0, Math.max(count - wrong.length, 0))];
}

/** The lowest indexes that have neither ended nor a pod. */
function freeIndexes(self: Job, { tally, progress }: PlanFacts, count: number): readonly number[] {
  const { active, terminating } = tally;
  const busy = [
    ...active.map(({ pod }) => pod),
    ...(replacesFailedOnly(self) ? terminating : []),
  ].flatMap((pod) => indexIn(self, pod) ?? []);
  const taken = withIndexes(union(progress.completed, progress.failedIndexes), busy);
  return firstMissing(taken, self.spec.completions ?? 0, count);
}

/** Each index waits for itself alone. */
function planPerIndex(self: Job, facts: PlanFacts, missing: number): Plan {
  const { awaiting, now } = facts;
  const backedOff = new Map(
    [...awaiting].map(([index, { pod }]) => [
      index,
      endedAtMs(pod) +
        backOffMs(pod.metadata.deletionTimestamp === undefined ? allFailures(pod) + 1 : 0),
    ]),
  );
  const later = [...backedOff.values()].filter((at) => at > now);
  const due = (index: number) => (backedOff.get(index) ?? 0) <= now;
  const free = freeIndexes(self, facts, missing + later.length)
    .filter(due)
    .slice(0, missing);
  return {
    births: free.map((index) => ({ index, after: awaiting.get(index) })),
    doomed: [],
    wakeAt: later.length > 0 && free.length < missing ? Math.min(...later) : undefined,
  };
}
