/**
 * How far a HorizontalPodAutoscaler may go now: stabilisation windows, policies and limits, as in
 * Kubernetes' `normalizeDesiredReplicasWithBehaviors`. Without a behaviour the documented default holds,
 * which turns every two seconds need: the older rule permits a doubling a turn.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
import { type ScalingRules, withDefaults } from "../../../../libs/model/autoscaling/behavior.ts";
import type { HorizontalPodAutoscaler } from "../../../../libs/model/kinds/horizontalpodautoscaler.ts";
import { quantityNumber } from "../../../../libs/model/quantity.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { Tolerances } from "./replicas.ts";

const downWindowSeconds = 300;
const toleranceDefault = 0.1;

type Spec = HorizontalPodAutoscaler["spec"];

const rulesOf = ({ behavior = {} }: Spec) => withDefaults(behavior);

export const tolerancesOf = (spec: Spec): Tolerances => {
  const { scaleUp, scaleDown } = rulesOf(spec);
  const of = ({ tolerance }: ScalingRules) =>
    tolerance === undefined ? toleranceDefault : quantityNumber(tolerance);
  return { up: of(scaleUp), down: of(scaleDown) };
};

/** The longest time that what was recommended matters. */
export const windowMsOf = (spec: Spec): number => {
  const { scaleUp, scaleDown } = rulesOf(spec);
  const { stabilizationWindowSeconds: up = 0 } = scaleUp;
  const { stabilizationWindowSeconds: down = downWindowSeconds } = scaleDown;
  return Math.max(up, down) * 1_000;
};

/** The longest time that what was changed matters. */
export const periodMsOf = (spec: Spec): number => {
  const { scaleUp, scaleDown } = rulesOf(spec);
  const policies = [...(scaleUp.policies ?? []), ...(scaleDown.policies ?? [])];
  return Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds)) * 1_000;
};

/** What was recommended, last at `at`. */
export type Recommendation = { readonly at: EpochMs; readonly replicas: number };
/** A change that was made. */
export type Change = { readonly at: EpochMs; readonly from: number; readonly to: number };

export type PaceFacts = {
  readonly spec: Spec;
  readonly current: number;
  readonly recommended: number;
  readonly recommendations: readonly Recommendation[];
  readonly changes: readonly Change[];
  readonly now: EpochMs;
};
type Reason = { readonly reason: string; readonly message: string };
export type Pace = {
  readonly replicas: number;
  readonly ableToScale: Reason;
  readonly limited: Reason & { readonly status: "True" | "False" };
};

export function paceOf(facts: PaceFacts): Pace {
  const stable = stabilized(facts);
  const { replicas, ...reason } = limited({ ...facts, recommended: stable });
  const isLimited = replicas !== stable;
  return {
    replicas,
    ableToScale: stabilityOf(facts, stable),
    limited: { status: isLimited ? "True" : "False", ...reason },
  };
}

/** The most careful of the recommendations of each way's window. */
function stabilized({ spec, current, recommended, recommendations, now }: PaceFacts): number {
  const { scaleUp, scaleDown } = rulesOf(spec);
  const since = (seconds: number) =>
    recommendations.filter(({ at }) => at > now - seconds * 1_000).map(({ replicas }) => replicas);
  const up = Math.min(recommended, ...since(scaleUp.stabilizationWindowSeconds ?? 0));
  const down = Math.max(
    recommended,
    ...since(scaleDown.stabilizationWindowSeconds ?? downWindowSeconds),
  );
  return Math.min(Math.max(current, up), down);
}

function stabilityOf({ current, recommended }: PaceFacts, stable: number): Reason {
  if (stable === recommended) {
    const message = "recommended size matches current size";
    return { reason: "ReadyForNewScale", message };
  }
  return recommended >= current
    ? {
        reason: "ScaleUpStabilized",
        message:
          "recent recommendations were lower than current one, applying the lowest recent recommendation",
      }
    : {
        reason: "ScaleDownStabilized",
        message:
          "recent recommendations were higher than current one, applying the highest recent recommendation",
      };
}

function limited(facts: PaceFacts): Reason & { readonly replicas: number } {
  const { spec, current, recommended, changes, now } = facts;
  const { minReplicas, maxReplicas } = spec;
  const { scaleUp, scaleDown } = rulesOf(spec);
  if (recommended > current) {
    const most = Math.max(upLimit(current, scaleUp, changes, now), current);
    if (recommended > Math.min(most, maxReplicas)) {
      return most < maxReplicas
        ? { replicas: most, ...tooFastUp }
        : { replicas: maxReplicas, ...tooMany };
    }
  } else if (recommended < current) {
    const least = Math.min(downLimit(current, scaleDown, changes, now), current);
    if (recommended < Math.max(least, minReplicas)) {
      return least > minReplicas
        ? { replicas: least, ...tooFastDown }
        : { replicas: minReplicas, ...tooFew };
    }
  }
  return {
    replicas: recommended,
    reason: "DesiredWithinRange",
    message: "the desired count is within the acceptable range",
  };
}

const tooFastUp: Reason = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const tooMany: Reason = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const tooFastDown: Reason = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};
const tooFew: Reason = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};

/** How many there were when the policy's period began. */
function atPeriodStart(
  current: number,
  changes: readonly Change[],
  periodSeconds: number,
  now: EpochMs,
): number {
  const recent = changes.filter(({ at }) => at > now - periodSeconds * 1_000);
  return recent.reduce((replicas, { from, to }) => replicas - (to - from), current);
}

function upLimit(
  current: number,
  rules: ScalingRules,
  changes: readonly Change[],
  now: EpochMs,
): number {
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(current, changes, periodSeconds, now);
    // Rounded up: a small share of few pods would never be one.
    return type === "Pods" ? start + value : Math.ceil((start * (100 + value)) / 100);
  });
  return rules.selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(
  current: number,
  rules: ScalingRules,
  changes: readonly Change[],
  now: EpochMs,
): number {
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(current, changes, periodSeconds, now);
    return type === "Pods" ? start - value : Math.trunc((start * (100 - value)) / 100);
  });
  return rules.selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}
