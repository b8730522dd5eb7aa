import type { ClusterView } from "../cluster/view.ts";
import { ApiError } from "../model/errors.ts";
import { pod as podKind, type Pod } from "../model/kinds/pod.ts";
import {
  podDisruptionBudget,
  type PodDisruptionBudget,
} from "../model/kinds/poddisruptionbudget.ts";
import { matchesSelector } from "../model/label-selector.ts";
import { isTerminal, readySinceMs } from "../model/pod/state.ts";
import { timeOf } from "../model/time.ts";
import type { Op } from "../store/store.ts";
import { admitDelete, type DeleteOptions } from "./admit.ts";
import type { AdmissionContext, Admitted } from "./context.ts";
import { together, transactionOf } from "./transaction.ts";

const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
const preempted = {
  reason: "PreemptionByScheduler",
  message: "default-scheduler: preempting to accommodate a higher priority pod",
};
const evicted = { reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" };
/** What a client waits before it asks again for a budget that is being counted. */
const retryAfterSeconds = 10;

/**
 * An eviction: the pod's deletion and, where a budget protects it, that budget's status with one
 * disruption fewer, in one transaction. So of two that take the last one only one commits (O3).
 *
 * @returns undefined when the pod is going already, and not later than asked for
 * @throws {ApiError} TooManyRequests with a cause DisruptionBudget, InternalError when several
 * budgets select the pod
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export function admitEvict(
  pod: Pod,
  options: DeleteOptions,
  context: AdmissionContext,
): Admitted<Pod> | undefined {
  const admitted = admitDelete(podKind, pod, { ...options, disruption: evicted }, context);
  if (admitted === undefined || isFree(pod)) return admitted;
  const budgets = budgetsOf(context.view, pod);
  const [budget] = budgets;
  if (budget === undefined) return admitted;
  if (budgets.length > 1) {
    throw new ApiError(
      "InternalError",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  if (isUncounted(pod, budget)) return admitted;
  const ops = chargeFor(budget, 1, context);
  return { object: admitted.object, ops: together([admitted.ops, ops]) };
}

/**
 * What goes so that pods of a higher priority have room: deletions, each with its whole grace, and the
 * budgets with as many disruptions fewer, to be written in the transaction that nominates the others (O3).
 *
 * @throws {ApiError} TooManyRequests when a budget does not allow so many
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export function admitPreemptions(
  victims: readonly Pod[],
  context: AdmissionContext,
): readonly (readonly Op[])[] {
  const charges = Map.groupBy(
    victims.flatMap((pod) => budgetsCounting(context.view, pod)),
    (budget) => budget,
  );
  return [
    ...victims.map(
      (pod) => admitDelete(podKind, pod, { disruption: preempted }, context)?.ops ?? [],
    ),
    ...[...charges].map(([budget, all]) => chargeFor(budget, all.length, context)),
  ];
}

/** The budgets of which a pod's going takes one disruption. */
export const budgetsCounting = (view: ClusterView, pod: Pod): readonly PodDisruptionBudget[] =>
  isFree(pod) ? [] : budgetsOf(view, pod).filter((budget) => !isUncounted(pod, budget));

/** How many more a budget allows; none while it has not been counted as it is. */
export const disruptionsAllowed = ({ metadata, status }: PodDisruptionBudget): number =>
  status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)
    ? 0
    : status.disruptionsAllowed;

/** Its loss disturbs nobody: it does not run yet, or no more. */
const isFree = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined ||
  isTerminal(pod) ||
  (pod.status?.phase ?? "Pending") === "Pending";

const budgetsOf = (view: ClusterView, { metadata }: Pod): readonly PodDisruptionBudget[] =>
  view
    .list(podDisruptionBudget, { namespace: metadata.namespace })
    .filter(
      ({ spec }) => spec.selector !== undefined && matchesSelector(spec.selector, metadata.labels),
    );

/** Whether the pod is not ready, and may go without being counted. */
const isUncounted = (pod: Pod, budget: PodDisruptionBudget): boolean =>
  readySinceMs(pod) === undefined && allowsUnready(budget);

function allowsUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

const chargeFor = (
  budget: PodDisruptionBudget,
  count: number,
  context: AdmissionContext,
): readonly Op[] => {
  const charged = { ...budget, status: charge(budget, count, context) };
  return transactionOf(podDisruptionBudget, budget, charged, context.view);
};

/** The budget's status when so many more are disrupted. @throws {ApiError} when they may not be */
function charge(
  { metadata, status }: PodDisruptionBudget,
  count: number,
  { now }: AdmissionContext,
) {
  const { name, generation = 0 } = metadata;
  if (status === undefined || (status.observedGeneration ?? 0) < generation) {
    throw violated(`The disruption budget ${name} is still being processed by the server.`, {
      retryAfterSeconds,
    });
  }
  const { disruptionsAllowed: allowed, desiredHealthy, currentHealthy, conditions = [] } = status;
  if (allowed < count) {
    const failed = conditions.find(({ reason }) => reason === "SyncFailed");
    throw violated(
      failed === undefined
        ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
        : `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`,
    );
  }
  const left = allowed - count;
  const exhausted = {
    type: "DisruptionAllowed",
    status: "False" as const,
    reason: "InsufficientPods",
    message: "",
    observedGeneration: generation,
    lastTransitionTime: timeOf(now),
  };
  return {
    ...status,
    disruptionsAllowed: left,
    ...(left === 0 && {
      conditions: [...conditions.filter(({ type }) => type !== exhausted.type), exhausted],
    }),
  };
}

const violated = (message: string, details: { readonly retryAfterSeconds?: number } = {}) =>
  new ApiError("TooManyRequests", refusal, {
    ...details,
    causes: [{ reason: "DisruptionBudget", field: "", message }],
  });
