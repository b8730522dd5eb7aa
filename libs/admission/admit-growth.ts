/** What becomes of a pod that waits for room to grow. */
import { type Pod, pod as podKind } from "../model/kinds/pod.ts";
import { resizePending } from "../model/pod/allocated.ts";
import { timeOf } from "../model/time.ts";
import { admitStatus } from "./admit.ts";
import type { AdmissionContext, Admitted, AnyObject } from "./context.ts";
import { marked } from "./prepare-size.ts";
import { transactionOf } from "./transaction.ts";

/**
 * What its spec says counts from now on, and is its node's to give: the pod, its assignment and, where
 * it grows, the node's load in one transaction (B1).
 */
export function admitGrowth(pod: Pod, { view }: AdmissionContext): Admitted<Pod> {
  const was = pod as unknown as AnyObject; // An object of a kind.
  const conditions = others(pod);
  const grown = marked({ ...was, status: { ...was.status, conditions } }, undefined);
  const ops = transactionOf(podKind, was, grown, view);
  return { object: grown as unknown as Pod, ops }; // What was parsed as a Pod, with less to it.
}

/** @returns undefined when the pod says so already */
export function admitPending(
  pod: Pod,
  { reason, message }: { readonly reason: "Deferred" | "Infeasible"; readonly message: string },
  context: AdmissionContext,
): Admitted<Pod> | undefined {
  const was = pod.status?.conditions?.find(({ type }) => type === resizePending);
  const observedGeneration = pod.metadata.generation ?? 0;
  const isSame =
    was?.reason === reason &&
    was.message === message &&
    was.observedGeneration === observedGeneration;
  if (isSame) return undefined;
  const condition = {
    type: resizePending,
    status: "True" as const,
    observedGeneration,
    reason,
    message,
    lastTransitionTime: was?.lastTransitionTime ?? timeOf(context.now),
  };
  const status = { ...pod.status, conditions: [...others(pod), condition] };
  return admitStatus(podKind, pod, status, context);
}

const others = ({ status }: Pod) =>
  (status?.conditions ?? []).filter(({ type }) => type !== resizePending);
