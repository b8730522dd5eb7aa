/**
 * The finalizer by which a Job's pods wait to be counted (O7). A turn counts a pod and takes its
 * finalizer away in one transaction, so whether a pod has been counted is whether it has the
 * finalizer: `status.uncountedTerminatedPods`, by which Kubernetes bridges the two writes that it
 * needs, is served and is always empty.
 */
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { controllerOf } from "../workload/claims.ts";

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";

export const isTracked = ({ metadata }: Pod): boolean =>
  metadata.finalizers?.includes(trackingFinalizer) === true;

export const withTracking = (pod: Pod): Pod =>
  isTracked(pod)
    ? pod
    : withFinalizers(pod, [...(pod.metadata.finalizers ?? []), trackingFinalizer]);

export const withoutTracking = (pod: Pod): Pod =>
  withFinalizers(
    pod,
    (pod.metadata.finalizers ?? []).filter((one) => one !== trackingFinalizer),
  );

/** The Job that a pod belongs to, by its owner references. */
export function jobOf(pod: Pod): { readonly name: string; readonly uid: string } | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === "Job" && owner.apiVersion === "batch/v1" ? owner : undefined;
}

function withFinalizers(pod: Pod, finalizers: string[]): Pod {
  const { finalizers: _had, ...metadata } = pod.metadata;
  return { ...pod, metadata: { ...metadata, ...(finalizers.length > 0 && { finalizers }) } };
}
