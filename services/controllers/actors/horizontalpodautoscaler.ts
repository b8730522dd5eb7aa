import {
  horizontalPodAutoscaler,
  type HorizontalPodAutoscaler,
} from "../../../libs/model/kinds/horizontalpodautoscaler.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  type Decision,
  type EventNote,
  normal,
  type ObjectChange,
  update,
  warning,
} from "../controller.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import {
  changesAnnotation,
  changesOn,
  type Memory,
  noting,
  recall,
  recommendedBy,
  withChange,
} from "./horizontalpodautoscaler/history.ts";
import { judge, type Judged } from "./horizontalpodautoscaler/metrics.ts";
import { paceOf, periodMsOf, tolerancesOf, windowMsOf } from "./horizontalpodautoscaler/pace.ts";
import { type MetricReading, readingOf } from "./horizontalpodautoscaler/readings.ts";
import {
  type Said,
  type Status,
  withConditions,
  worthWriting,
} from "./horizontalpodautoscaler/status.ts";
import {
  isNamed,
  type Scaled,
  scaledKinds,
  type Target,
  targetOf,
} from "./horizontalpodautoscaler/target.ts";

/** What is measured wakes nobody: it is looked at so often. */
export const periodMs = 2_000;

export type World = {
  readonly target: Target;
  /** Of each metric of the spec, in its order. */
  readonly readings: readonly MetricReading[];
  /** Other autoscalers of the same target. */
  readonly rivals: readonly string[];
  readonly memory: Memory | undefined;
};

type Step = {
  readonly desired: number;
  readonly conditions: readonly Said[];
  readonly metrics: Status["currentMetrics"];
  readonly memory: Memory;
  /** Why the number changes. */
  readonly why: string;
  readonly events: readonly EventNote[];
};

/** Sets the target's number of pods to what its metrics ask for, as fast as its behaviour permits. */
export function decide(
  self: HorizontalPodAutoscaler,
  world: World,
  now: EpochMs,
): Decision<Scaled, HorizontalPodAutoscaler> {
  const { target, memory: before } = world;
  const rest = { writes: [], status: self.status, events: [], wakeAt: undefined };
  if (self.metadata.deletionTimestamp !== undefined) return rest;
  if (!target.ok) return withoutTarget(self, target.error, now);
  const { object } = target;
  const current = object.spec.replicas;
  const windowMs = windowMsOf(self.spec);
  const memory = recall(before, { uid: self.metadata.uid ?? "", current, windowMs, now });
  const step = stepOf(self, world, { current, memory, now });
  if (step === undefined) {
    // Not known yet: nobody can say that fewer would do (N1).
    return { ...rest, wakeAt: now + periodMs, remember: noting(memory, current) };
  }
  const { desired, events } = step;
  const changes = changesOn(self.metadata.annotations);
  const scales = desired !== current;
  const able: Said = {
    type: "AbleToScale",
    status: "True",
    reason: "SucceededRescale",
    message: `the HPA controller was able to update the target scale to ${desired}`,
  };
  const said = scales
    ? [...step.conditions.filter(({ type }) => type !== able.type), able]
    : step.conditions;
  const next: Status = {
    observedGeneration: self.metadata.generation ?? 0,
    ...(self.status?.lastScaleTime !== undefined && { lastScaleTime: self.status.lastScaleTime }),
    ...(scales && { lastScaleTime: timeOf(now) }),
    currentReplicas: current,
    desiredReplicas: desired,
    ...(step.metrics !== undefined && { currentMetrics: step.metrics }),
    conditions: withConditions(self.status?.conditions, said, now),
  };
  const { metrics } = self.spec;
  const { shownAt } = step.memory;
  const shown = worthWriting(self.status, next, { metrics, shownAt, now });
  const news = newsOf(self, said, events);
  const remember = { ...step.memory, shownAt: shown.shownAt };
  const isOff = current === 0 && self.spec.minReplicas !== 0;
  const wakeAt = isOff ? undefined : now + periodMs;
  if (!scales) return { writes: [], status: shown.status, events: news, wakeAt, remember };
  const keepMs = Math.max(windowMs, periodMsOf(self.spec));
  const noted = withChange(changes, { at: now, from: current, to: desired }, keepMs);
  const annotations = { ...self.metadata.annotations, [changesAnnotation]: noted };
  return {
    writes: [update(resized(object, desired))],
    status: next,
    self: update({ ...self, metadata: { ...self.metadata, annotations } }),
    events: [...news, normal("SuccessfulRescale", `New size: ${desired}; reason: ${step.why}`)],
    wakeAt,
    remember,
  };
}

const resized = <S extends Scaled>(object: S, replicas: number): S => ({
  ...object,
  spec: { ...object.spec, replicas },
});

function withoutTarget(
  self: HorizontalPodAutoscaler,
  error: string,
  now: EpochMs,
): Decision<Scaled, HorizontalPodAutoscaler> {
  const said: Said = {
    type: "AbleToScale",
    status: "False",
    reason: "FailedGetScale",
    message: `the HPA controller was unable to get the target's current scale: ${error}`,
  };
  const conditions = withConditions(self.status?.conditions, [said], now);
  const before = self.status ?? { desiredReplicas: 0 };
  const status = { ...before, observedGeneration: self.metadata.generation ?? 0, conditions };
  const same = worthWriting(self.status, status, { metrics: [], shownAt: 0, now });
  const events = newsOf(self, [said], [warning("FailedGetScale", error)]);
  return { writes: [], status: same.status, events, wakeAt: undefined };
}

/** Events that go with conditions are told when the condition is news: turns are many. */
function newsOf(
  { status }: HorizontalPodAutoscaler,
  said: readonly Said[],
  events: readonly EventNote[],
): readonly EventNote[] {
  const isNews = said.some(({ type, status: is, reason }) => {
    const was = status?.conditions?.find((one) => one.type === type);
    return is === "False" && (was?.status !== is || was.reason !== reason);
  });
  return isNews ? events : [];
}

type Now = { readonly current: number; readonly memory: Memory; readonly now: EpochMs };

const gotScale: Said = {
  type: "AbleToScale",
  status: "True",
  reason: "SucceededGetScale",
  message: "the HPA controller was able to get the target's current scale",
};

/** @returns undefined while too little is known to decide anything (N1) */
function stepOf(self: HorizontalPodAutoscaler, world: World, at: Now): Step | undefined {
  const { current, memory } = at;
  const { minReplicas, maxReplicas } = self.spec;
  const bare = { metrics: self.status?.currentMetrics, events: [], memory };
  const conditions = [gotScale];
  if (current === 0 && minReplicas !== 0) {
    const off: Said = {
      type: "ScalingActive",
      status: "False",
      reason: "ScalingDisabled",
      message: "scaling is disabled since the replica count of the target is zero",
    };
    return { ...bare, desired: 0, conditions: [...conditions, off], why: "" };
  }
  if (current > maxReplicas) {
    const why = "Current number of replicas above Spec.MaxReplicas";
    return { ...bare, desired: maxReplicas, conditions, why };
  }
  if (current < minReplicas) {
    const why = "Current number of replicas below Spec.MinReplicas";
    return { ...bare, desired: minReplicas, conditions, why };
  }
  return byMetrics(self, world, at);
}

function byMetrics(
  self: HorizontalPodAutoscaler,
  { target, readings, rivals }: World,
  { current, memory, now }: Now,
): Step | undefined {
  if (!target.ok) return undefined;
  const { object, pods } = target;
  const { metrics: specs } = self.spec;
  const existing = object.status?.replicas ?? 0;
  const facts = { current, existing, pods, tolerances: tolerancesOf(self.spec), now };
  const judged = specs.map((spec, nth) => judge(spec, readings[nth] ?? { of: "unknown" }, facts));
  const known = judged.filter((one) => one !== undefined);
  if (known.length < judged.length) return undefined;
  const metrics = known.map((one) => (one.ok ? one.status : ({ type: "" } as const)));
  const failed = failureOf(self, known, { current, rivals });
  if (failed !== undefined) {
    const { reason, error, all } = failed;
    const message = `the HPA was unable to compute the replica count: ${error}`;
    const off: Said = { type: "ScalingActive", status: "False", reason, message };
    const events = [warning(reason, error), warning("FailedComputeMetricsReplicas", all)];
    const conditions = [gotScale, off];
    // What it would be is unknown: not fewer than now.
    return {
      desired: current,
      conditions,
      metrics,
      memory: noting(memory, current),
      why: "",
      events,
    };
  }
  const asking = mostOf(known);
  const active: Said = {
    type: "ScalingActive",
    status: "True",
    reason: "ValidMetricFound",
    message: `the HPA was able to successfully calculate a replica count from ${asking.name}`,
  };
  const changes = changesOn(self.metadata.annotations);
  const recommendations = [...memory.recommendations, ...recommendedBy(changes)];
  const recommended = asking.replicas;
  const pace = paceOf({ spec: self.spec, current, recommended, recommendations, changes, now });
  const able: Said = { type: "AbleToScale", status: "True", ...pace.ableToScale };
  const limited: Said = { type: "ScalingLimited", ...pace.limited };
  return {
    desired: pace.replicas,
    conditions: [able, active, limited],
    metrics,
    memory: noting(memory, recommended),
    why: recommended > current ? `${asking.name} above target` : "All metrics below target",
    events: [],
  };
}

/** Why nothing can be done: no metric is known, or one is not while the others ask for fewer pods. */
function failureOf(
  self: HorizontalPodAutoscaler,
  judged: readonly Judged[],
  { current, rivals }: { readonly current: number; readonly rivals: readonly string[] },
): { readonly reason: string; readonly error: string; readonly all: string } | undefined {
  if (rivals.length > 0) {
    const names = [self.metadata.name, ...rivals].toSorted().join(" ");
    const { kind, name } = self.spec.scaleTargetRef;
    const error = `pods of ${kind} ${name} are controlled by multiple HPAs: [${names}]`;
    return { reason: "AmbiguousSelector", error, all: error };
  }
  const failures = judged.filter((one) => !one.ok);
  const [first] = failures;
  if (first === undefined) return undefined;
  const isAnyKnown = failures.length < judged.length;
  if (isAnyKnown && mostOf(judged).replicas >= current) return undefined;
  const { reason, error } = first;
  const count = `${failures.length} invalid out of ${judged.length}`;
  return { reason, error, all: `invalid metrics (${count}), first error is: ${error}` };
}

/** The one of those known that asks for most; at least one is. */
function mostOf(judged: readonly Judged[]): Judged & { readonly ok: true } {
  let most: (Judged & { readonly ok: true }) | undefined;
  for (const one of judged) {
    if (one.ok && (most === undefined || one.replicas > most.replicas)) most = one;
  }
  return most ?? { ok: true, replicas: 0, name: "", status: { type: "" } };
}

/** A change of a target's number of pods concerns those who set it. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object === undefined || !scaledKinds.some(({ kind }) => kind === object.kind)) return;
  const [was, is] = [replicasIn(before), replicasIn(after)];
  if (was === is) return;
  const { namespace = "" } = object.metadata;
  for (const one of view.list(horizontalPodAutoscaler, { namespace })) {
    if (isNamed(one.spec.scaleTargetRef, object)) yield actorName(one.metadata);
  }
}

/** What has a scale has that. */
const replicasIn = (object: unknown): unknown =>
  (object as { readonly spec?: { readonly replicas?: unknown } } | undefined)?.spec?.replicas;

export const horizontalPodAutoscalers = controller({
  kind: horizontalPodAutoscaler,
  owns: scaledKinds,
  ownedWakeOwners: false,
  read(view, self, around): World {
    const { namespace } = self.metadata;
    const { scaleTargetRef, metrics } = self.spec;
    const target = targetOf(view, namespace, scaleTargetRef);
    const pods = target.ok ? target.pods : [];
    const asker = actorName(self.metadata);
    const { measured, now } = around;
    return {
      target,
      readings: metrics.map((spec) => readingOf(spec, { measured, namespace, asker, pods, now })),
      rivals: view
        .list(horizontalPodAutoscaler, { namespace })
        .filter((one) => one.metadata.uid !== self.metadata.uid)
        .filter((one) => isSameTarget(one.spec.scaleTargetRef, scaleTargetRef))
        .map((one) => one.metadata.name),
      memory: around.remembered as Memory | undefined, // What `decide` gave to remember.
    };
  },
  decide,
  concerns,
});

const isSameTarget = (
  a: HorizontalPodAutoscaler["spec"]["scaleTargetRef"],
  b: HorizontalPodAutoscaler["spec"]["scaleTargetRef"],
): boolean =>
  isNamed(a, { apiVersion: b.apiVersion ?? "", kind: b.kind, metadata: { name: b.name } });
