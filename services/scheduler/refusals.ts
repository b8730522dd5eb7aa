/** What is written and said of pods that found no node, or no room to grow. */
import { admitStatus } from "../../libs/admission/admit.ts";
import { admitPending } from "../../libs/admission/admit-growth.ts";
import { type AdmissionContext, timestamp } from "../../libs/admission/context.ts";
import type { EventFacts } from "../../libs/cluster/record-event.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Op } from "../../libs/store/store.ts";

export type Refusal = {
  readonly pod: Pod;
  /** Of the Event that says so. */
  readonly reason: string;
  readonly why: string;
  readonly ops: readonly Op[];
};

/**
 * PodScheduled becomes False, with why, and the node stands there where room is made for the pod.
 *
 * @param node "" for none
 * @returns undefined when all that stands there already
 */
export function refuse(
  pod: Pod,
  { why, node }: { readonly why: string; readonly node: string },
  context: AdmissionContext,
): Refusal | undefined {
  const type = "PodScheduled";
  const {
    nominatedNodeName = "",
    conditions = [],
    ...status
  } = pod.status ?? {
    phase: "Pending",
  };
  const was = conditions.find((condition) => condition.type === type);
  const isSaid = was?.status === "False" && was.message === why;
  if (isSaid && nominatedNodeName === node) return undefined;
  const now = timestamp(context.now);
  const condition = {
    type,
    status: "False" as const,
    reason: "Unschedulable",
    message: why,
    lastTransitionTime: was?.status === "False" ? (was.lastTransitionTime ?? now) : now,
  };
  const others = conditions.filter((other) => other.type !== type);
  const after = {
    ...status,
    conditions: [...others, condition],
    ...(node !== "" && { nominatedNodeName: node }),
  };
  const ops = admitStatus(podKind, pod, after, context)?.ops;
  return ops === undefined ? undefined : { pod, reason: "FailedScheduling", why, ops };
}

/** PodResizePending says why it is no larger yet; undefined when that stands there already. */
export function postpone(
  pod: Pod,
  fault: Parameters<typeof admitPending>[1],
  context: AdmissionContext,
): Refusal | undefined {
  const ops = admitPending(pod, fault, context)?.ops;
  const why = `Pod resize ${fault.reason}: ${fault.message}`;
  return ops === undefined ? undefined : { pod, reason: `Resize${fault.reason}`, why, ops };
}

/** What every Event of the scheduler's about a pod has. */
export const eventOf = ({
  apiVersion,
  kind,
  metadata,
}: Pod): Pick<EventFacts, "source" | "involved"> => ({
  source: { component: "default-scheduler" },
  involved: {
    apiVersion,
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
  },
});
