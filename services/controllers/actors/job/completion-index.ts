import type { Job } from "../../../../libs/model/kinds/job.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";

/** An annotation, and a label too. */
export const indexKey = "batch.kubernetes.io/job-completion-index";
/** How many pods of its index failed before it, those that a policy ignores apart. */
export const failuresKey = "batch.kubernetes.io/job-index-failure-count";
export const ignoredKey = "batch.kubernetes.io/job-index-ignored-failure-count";

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === "Indexed";

/** Undefined when the pod has none, or one that the Job has not (any more). */
export function indexIn({ spec }: Job, { metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey] ?? "";
  if (!/^\d{1,10}$/.test(text)) return undefined;
  return Number(text) < (spec.completions ?? 0) ? Number(text) : undefined;
}

export const priorFailures = (
  pod: Pod,
): { readonly counted: number; readonly ignored: number } => ({
  counted: numberAt(pod, failuresKey),
  ignored: numberAt(pod, ignoredKey),
});

function numberAt({ metadata }: Pod, key: string): number {
  const text = metadata.annotations?.[key] ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
