import type { Node, NodeCondition } from "../../../../libs/model/kinds/node.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { tolerates } from "../../../../libs/model/pod/placement.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { readyOf } from "./readiness.ts";

export type Taint = NonNullable<Node["spec"]["taints"]>[number];

const prefix = "node.kubernetes.io/";
export const notReady = `${prefix}not-ready`;
export const unreachable = `${prefix}unreachable`;
const unschedulable = `${prefix}unschedulable`;
/** Of a condition that is True. */
const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
};

/** By effect, the taints that come and go with what a node is; all others are the users'. */
const kept: Readonly<Record<Taint["effect"], ReadonlySet<string>>> = {
  NoSchedule: new Set([notReady, unreachable, unschedulable, ...Object.values(pressures)]),
  NoExecute: new Set([notReady, unreachable]),
  PreferNoSchedule: new Set(),
};

/**
 * The taints that follow from a node's conditions and cordon, beside those that users set.
 *
 * @see https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-not-ready
 */
export function taintsFor(
  before: readonly Taint[],
  {
    conditions,
    cordoned,
  }: { readonly conditions: readonly NodeCondition[]; readonly cordoned: boolean },
  now: EpochMs,
): readonly Taint[] {
  const ready = readyOf(conditions)?.status;
  const key = ready === "True" ? undefined : ready === "Unknown" ? unreachable : notReady;
  const pressed = conditions.flatMap(({ type, status }) =>
    status === "True" && pressures[type] !== undefined ? [pressures[type]] : [],
  );
  const wanted: Taint[] = [
    ...(key === undefined ? [] : [noSchedule(key)]),
    // A node that has never been ready keeps new pods off; there is nobody to evict.
    ...(key === undefined || ready === undefined
      ? []
      : [{ key, effect: "NoExecute", timeAdded: timeOf(now) } as const]),
    ...pressed.map(noSchedule),
    ...(cordoned ? [noSchedule(unschedulable)] : []),
  ];
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  const own = before.filter(
    (taint) => !kept[taint.effect].has(taint.key) || wanted.some((one) => same(one, taint)),
  );
  return [...own, ...wanted.filter((taint) => !before.some((one) => same(one, taint)))];
}

const noSchedule = (key: string): Taint => ({ key, effect: "NoSchedule" });

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
