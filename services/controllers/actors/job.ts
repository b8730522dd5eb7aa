import type { ClusterView } from "../../../libs/cluster/view.ts";
import { job, type Job } from "../../../libs/model/kinds/job.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { type LabelSelector, matchesSelector } from "../../../libs/model/label-selector.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  create,
  type Decision,
  normal,
  type ObjectChange,
  remove,
  update,
  type Write,
} from "../controller.ts";
import { endOf } from "./job/conditions.ts";
import { newPods } from "./job/new-pods.ts";
import { type Plan, type PlanFacts, planOf } from "./job/plan.ts";
import {
  awaitingSuccessors,
  type Ended,
  type Failure,
  progressWith,
  tallyOf,
} from "./job/progress.ts";
import { startOf, statusFor } from "./job/status.ts";
import { isTracked, trackingFinalizer, withoutTracking, withTracking } from "./job/tracking.ts";
import { deadlineOf, type Verdict, verdictOf } from "./job/verdict.ts";
import { claims, controllerOf } from "./workload/claims.ts";
import { type PlacedPod, placed } from "./workload/pod-state.ts";
import { refusedSome } from "./workload/refused.ts";

/** Bound one transaction: pods made or taken back, pods counted. Their changes wake the actor for the rest. */
export const podsMax = 100;
export const countedMax = 200;
const ourselves = "kubernetes.io/job-controller";

export type World = {
  /** Its pods, and those of its namespace that it may adopt. */
  readonly pods: readonly PlacedPod[];
};
type JobDecision = Decision<Pod, Job>;

/** Runs pods until enough have succeeded or too many have failed; then deletes itself, if it is to. */
export function decide(self: Job, world: World, now: EpochMs): JobDecision {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  if ((self.spec.managedBy ?? ourselves) !== ourselves) return rest;
  const ending = self.metadata.deletionTimestamp !== undefined;
  const end = endOf(self);
  if (end === undefined && !ending) return decideRunning(self, world.pods, now);
  const expiresAt = ending ? undefined : expiryOf(self, Date.parse(end?.lastTransitionTime ?? ""));
  if (expiresAt !== undefined && expiresAt <= now) {
    return { ...rest, self: remove(self, { propagationPolicy: "Foreground" }) };
  }
  return { ...rest, writes: releases(self, world.pods), wakeAt: expiresAt };
}

/** A Job that has ended or is being deleted counts nothing any more: its pods go when they may. */
const releases = ({ metadata: { uid } }: Job, pods: readonly PlacedPod[]) =>
  pods
    .filter((one) => isTracked(one.pod) && controllerOf(one.pod)?.uid === uid)
    .slice(0, countedMax)
    .map((one) => update(withoutTracking(one.pod)));

function expiryOf({ spec }: Job, endedAt: EpochMs): EpochMs | undefined {
  const { ttlSecondsAfterFinished: ttl } = spec;
  return ttl === undefined || Number.isNaN(endedAt) ? undefined : endedAt + ttl * 1_000;
}

function decideRunning(self: Job, pods: readonly PlacedPod[], now: EpochMs): JobDecision {
  const { owned, writes: claimed } = ownedOf(self, pods);
  const startedAt = startOf(self, now);
  const tally = tallyOf(self, owned);
  const progress = progressWith(self, tally.ended);
  const verdict = verdictOf(self, tally, progress, { now, startedAt });
  // Who ends replaces nobody: all of its pods are counted.
  const awaiting = verdict === undefined ? awaitingSuccessors(self, tally, progress) : nobody;
  const plan = planFor(self, verdict, { tally, progress, awaiting, owned, now, most: podsMax });

  // What is adopted or released in this turn is written for that: one write a key.
  const claimedNow = new Set(claimed.map(({ object }) => object.metadata.name));
  const isFree = (one: Pod) => !claimedNow.has(one.metadata.name);
  const doomed = plan.doomed.map((one) => one.pod).filter(isFree);
  const counted = countedNow(tally.ended, awaiting, plan, isFree);
  const left = podsIn(tally.ended).length - podsIn(counted).length;
  const over = tally.active.length + tally.terminating.length + left === 0;
  const story = { verdict, over, startedAt, now };
  const { status, events } = statusFor(self, tally, progressWith(self, counted), story);
  const born = newPods(self, plan.births, new Set(pods.map((one) => one.pod.metadata.name)));
  // A Job that goes on does not hold what it took back itself against the pod, nor counts it.
  const options = verdict === undefined ? { released: [trackingFinalizer] } : {};
  return {
    writes: [
      ...claimed,
      ...podsIn(counted).map((one) => update(withoutTracking(one))),
      ...born.map(create),
      ...doomed.map((one) => remove(one, options)),
    ],
    status,
    wakeAt: earliest([
      plan.wakeAt,
      verdict === undefined ? deadlineOf(self, startedAt) : undefined,
    ]),
    events: [
      ...born.map(({ metadata }) => normal("SuccessfulCreate", `Created pod: ${metadata.name}`)),
      ...doomed.map(({ metadata }) => normal("SuccessfulDelete", `Deleted pod: ${metadata.name}`)),
      ...events,
    ],
  };
}

const nobody: ReadonlyMap<number, Failure> = new Map();

function planFor(self: Job, verdict: Verdict | undefined, facts: PlanFacts): Plan {
  if (verdict === undefined && self.spec.suspend !== true) return planOf(self, facts);
  return { births: [], doomed: facts.tally.active.slice(0, facts.most), wakeAt: undefined };
}

/** Those whose successors are made now come first: without them the failures of an index are forgotten. */
function countedNow(
  { succeeded, failed }: Ended,
  awaiting: ReadonlyMap<number, Failure>,
  { births }: Plan,
  isFree: (pod: Pod) => boolean,
): Ended {
  const replaced = new Set(births.flatMap(({ after }) => after ?? []));
  const waiting = new Set(awaiting.values());
  const other = failed.filter((one) => !waiting.has(one) && isFree(one.pod));
  const failures = [...replaced, ...other].slice(0, countedMax);
  const room = countedMax - failures.length;
  return { succeeded: succeeded.filter(isFree).slice(0, room), failed: failures };
}

const podsIn = ({ succeeded, failed }: Ended): readonly Pod[] => [
  ...succeeded,
  ...failed.map((one) => one.pod),
];

function earliest(times: readonly (EpochMs | undefined)[]): EpochMs | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** Admission makes the selector; without one a Job selects what has its uid. */
const selectorOf = ({ spec, metadata }: Job): LabelSelector =>
  spec.selector ?? { matchLabels: { "batch.kubernetes.io/controller-uid": metadata.uid } };

/** Its pods. What it adopts it will count, and what it lets go it will not (O7). */
function ownedOf(self: Job, candidates: readonly PlacedPod[]) {
  const pods = candidates.map((one) => one.pod);
  const { owned, writes } = claims(self, selectorOf(self), pods);
  const names = new Set(owned.map(({ metadata }) => metadata.name));
  const tracked = (write: Write<Pod>): Write<Pod> => {
    if (write.op !== "update") return write;
    const kept = names.has(write.object.metadata.name);
    return update(kept ? withTracking(write.object) : withoutTracking(write.object));
  };
  return {
    owned: candidates.filter((one) => names.has(one.pod.metadata.name)),
    writes: writes.map(tracked),
  };
}

/** Pods that nobody controls concern the Jobs that select them. */
function* concerns({ after }: ObjectChange, view: ClusterView): Iterable<string> {
  if (after?.kind !== "Pod" || after.apiVersion !== "v1") return;
  if (controllerOf(after) !== undefined) return;
  const { namespace = "", labels } = after.metadata;
  for (const self of view.list(job, { namespace })) {
    if (matchesSelector(selectorOf(self), labels)) yield actorName(self.metadata);
  }
}

export const jobs = controller({
  kind: job,
  owns: [pod],
  read(view, self): World {
    const { namespace, uid } = self.metadata;
    const own = view.list(pod, { namespace, ownerUid: uid });
    const orphans = view
      .list(pod, { namespace, selector: selectorOf(self) })
      .filter((one) => controllerOf(one) === undefined);
    return { pods: placed(view, [...own, ...orphans]) };
  },
  decide,
  refused: refusedSome,
  concerns,
});
