import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { tolerates } from "../../../../libs/model/pod/placement.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

export type Taint = NonNullable<Node["spec"]["taints"]>[number];

export const notReady = "node.kubernetes.io/not-ready";
export const unreachable = "node.kubernetes.io/unreachable";
const unschedulable = "node.kubernetes.io/unschedulable";
const kept = new Set([notReady, unreachable, unschedulable]);

/** The taints that follow from a node's readiness and cordon, beside those that users set. */
export function taintsFor(
  before: readonly Taint[],
  { ready, cordoned }: { readonly ready: string | undefined; readonly cordoned: boolean },
  now: EpochMs,
): readonly Taint[] {
  const key = ready === "True" ? undefined : ready === "Unknown" ? unreachable : notReady;
  const wanted: Taint[] = [
    ...(key === undefined ? [] : [{ key, effect: "NoSchedule" } as Taint]),
    // A node that has never been ready keeps new pods off; there is nobody to evict.
    ...(key === undefined || ready === undefined
      ? []
      : [{ key, effect: "NoExecute", timeAdded: timeOf(now) } as Taint]),
    ...(cordoned ? [{ key: unschedulable, effect: "NoSchedule" } as Taint] : []),
  ];
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  const own = before.filter(
    (taint) => !kept.has(taint.key) || wanted.some((one) => same(one, taint)),
  );
  return [...own, ...wanted.filter((taint) => !before.some((one) => same(one, taint)))];
}

/**
 * When a pod must leave: at once for a NoExecute taint that it does not tolerate, after the shortest
 * `tolerationSeconds` otherwise; undefined when it may stay for ever.
 */
export function evictionAt(pod: Pod, taints: readonly Taint[], now: EpochMs): EpochMs | undefined {
  const times = taints
    .filter(({ effect }) => effect === "NoExecute")
    .flatMap((taint) => {
      const tolerating = (pod.spec.tolerations ?? []).filter((one) => tolerates(one, taint));
      if (tolerating.length === 0) return [now];
      const seconds = tolerating.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
      if (seconds.length === 0) return [];
      const since = taint.timeAdded === undefined ? now : Date.parse(taint.timeAdded);
      return [since + Math.max(Math.min(...seconds), 0) * 1_000];
    });
  return times.length === 0 ? undefined : Math.min(...times);
}
