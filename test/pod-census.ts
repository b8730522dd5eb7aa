/**
 * Counts a Deployment's pods event by event, and says where a rolling update broke its promise.
 *
 * It holds at every event, not only where a transaction ends: one that writes pods is a ReplicaSet's,
 * which makes pods or deletes some, never both. So the counts between two of its events lie between
 * those before and after it.
 */
import * as z from "zod";

/** What is read of a pod. */
export const seenPod = z.object({
  metadata: z.object({
    name: z.string(),
    resourceVersion: z.string().optional(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
  status: z
    .object({
      phase: z.string().optional(),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            lastTransitionTime: z.string().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type SeenPod = z.output<typeof seenPod>;

/** What the Deployment promises, in pods. */
export type Promised = {
  readonly replicas: number;
  readonly surge: number;
  readonly unavailable: number;
  readonly minReadySeconds?: number;
};

export type PodCensus = {
  /** `pod` undefined: it is gone. `atMs`: no earlier than the event was decided on. */
  saw(name: string, pod: SeenPod | undefined, atMs: number): void;
  /** From here on availability is promised: the first rollout is complete. */
  settled(): void;
  /** Pods that nobody deleted and that have not ended. */
  live(): readonly SeenPod[];
  report(): CensusReport;
};
export type CensusReport = {
  readonly events: number;
  readonly mostLive: number;
  /** Since `settled`. */
  readonly fewestAvailable: number;
  /** Pods that ceased to be ready though nobody had deleted them. */
  readonly lost: readonly string[];
  readonly broken: readonly string[];
};

/**
 * `maxUnavailable` bounds what the Deployment does, not what befalls its pods: a pod that became
 * unready by itself is not counted against it, until it is available again. Without such a loss the
 * check is exact.
 */
export function podCensus(promised: Promised): PodCensus {
  const { replicas, surge, unavailable, minReadySeconds = 0 } = promised;
  const pods = new Map<string, SeenPod>();
  const lost = new Set<string>();
  const broken: string[] = [];
  let [events, mostLive, fewestAvailable, isSettled] = [0, 0, Infinity, false];
  const everLost = new Set<string>();

  const available = (atMs: number) =>
    [...pods.values()].filter((pod) => readySinceMs(pod) + minReadySeconds * 1_000 <= atMs);

  function judge(name: string, atMs: number): void {
    const live = [...pods.values()].filter(isLive).length;
    mostLive = Math.max(mostLive, live);
    if (live > replicas + surge) broken.push(`event ${events} (${name}): ${live} pods`);
    if (!isSettled) return;
    const there = available(atMs);
    for (const { metadata } of there) lost.delete(metadata.name);
    const enough = there.length;
    fewestAvailable = Math.min(fewestAvailable, enough);
    if (enough + lost.size < replicas - unavailable) {
      broken.push(`event ${events} (${name}): ${enough} available, ${lost.size} lost`);
    }
  }

  return {
    saw(name, pod, atMs) {
      events += 1;
      const before = pods.get(name);
      const wasReady = before !== undefined && readySinceMs(before) < Infinity;
      if (pod === undefined) pods.delete(name);
      else pods.set(name, pod);
      const isReady = pod !== undefined && readySinceMs(pod) < Infinity;
      const deleted = pod?.metadata.deletionTimestamp !== undefined;
      if (wasReady && !isReady && !deleted) {
        lost.add(name);
        everLost.add(name);
      }
      judge(name, atMs);
    },
    settled() {
      isSettled = true;
      fewestAvailable = available(Date.now()).length;
    },
    live: () => [...pods.values()].filter(isLive),
    report: () => ({ events, mostLive, fewestAvailable, lost: [...everLost], broken }),
  };
}

const isLive = ({ metadata, status }: SeenPod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.phase !== "Succeeded" &&
  status?.phase !== "Failed";

/** Infinity while it is not ready, or does not count. */
function readySinceMs(pod: SeenPod): number {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True" || !isLive(pod)) return Infinity;
  return Date.parse(ready.lastTransitionTime ?? "1970-01-01T00:00:00Z");
}
