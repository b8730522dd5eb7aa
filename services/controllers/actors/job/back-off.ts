import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { isTerminal } from "../../../../libs/model/pod/state.ts";

const firstMs = 10_000;
const longestMs = 6 * 60_000;

/**
 * How long after the last of so many failures in a row a pod gets a successor: 10 s, 20 s … 6 min.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
 */
export const backOffMs = (failures: number): number =>
  failures <= 0 ? 0 : Math.min(firstMs * 2 ** Math.min(failures - 1, 20), longestMs);

/**
 * Until when a Job makes no pod, after those of its pods that failed by themselves since the last
 * success. Pods that were deleted or evicted did nothing wrong: their successors need not wait.
 */
export function backedOffUntil(pods: readonly Pod[]): EpochMs {
  const over = pods.filter(
    (pod) => isTerminal(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  const ends = (phase: "Succeeded" | "Failed") =>
    over.filter(({ status }) => status?.phase === phase).map(endedAtMs);
  const succeededAt = latest(ends("Succeeded"));
  const failures = ends("Failed").filter((at) => at > succeededAt);
  return failures.length === 0 ? 0 : latest(failures) + backOffMs(failures.length);
}

/**
 * When a pod ended, by the control plane's clock (O8): it is not ready since, stamped with the report
 * of its end. Where nobody reported that, its node's clock has to do.
 */
export function endedAtMs({ status, metadata }: Pod): EpochMs {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime !== undefined) {
    return Date.parse(ready.lastTransitionTime);
  }
  const finished = (status?.containerStatuses ?? []).flatMap(
    ({ state }) => state.terminated?.finishedAt ?? [],
  );
  const times = finished.length > 0 ? finished : [metadata.creationTimestamp ?? ""];
  return latest(times.map((text) => Date.parse(text) || 0));
}

const latest = (times: readonly EpochMs[]): EpochMs =>
  times.reduce((last, at) => Math.max(last, at), 0);
