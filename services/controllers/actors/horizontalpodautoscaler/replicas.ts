/**
 * How many pods a metric asks for: Kubernetes' replica calculator. All amounts are in thousandths, as
 * there (`MilliValue`).
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

/** A ratio of what is to what ought to be that changes nothing lies in `[1 - down, 1 + up]`. */
export type Tolerances = { readonly up: number; readonly down: number };

/** One pod's value: the mean of `windowMs` that ended at `at`. */
export type PodMetric = { readonly milli: number; readonly at: EpochMs; readonly windowMs: number };
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** What a metric comes to, or why it comes to nothing. */
export type Proposal =
  | {
      readonly ok: true;
      readonly replicas: number;
      /** The metric as it is; of pods a mean. */
      readonly milli: number;
      /** Percent of what the pods request, where that is the target. */
      readonly utilization?: number;
    }
  | { readonly ok: false; readonly error: string };

/** How long after its start a pod's CPU counts only while it is ready. */
const cpuInitializationMs = 5 * 60_000;
/** A pod that never was ready after this long is taken for one that never will be. */
const initialReadinessMs = 30_000;
const replicasMax = 2 ** 31 - 1;

const failed = (error: string) => ({ ok: false, error }) as const;
const noPods = failed("no pods returned by selector while calculating replica count");
const noMetrics = failed("did not receive metrics for targeted pods (pods might be unready)");

const within = ({ up, down }: Tolerances, ratio: number) => 1 - down <= ratio && ratio <= 1 + up;
const whole = (replicas: number) => Math.min(Math.ceil(replicas), replicasMax);

type Groups = {
  readonly ready: number;
  /** Their values do not count; where more is asked for they count as using nothing. */
  readonly unready: ReadonlySet<string>;
  /** Nothing is known of them: they count against the direction. */
  readonly missing: ReadonlySet<string>;
  /** Of those that count. */
  readonly metrics: PodMetrics;
};

/** Which pods count, and how. Those that end, or have failed, do not. */
export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  isCpu: boolean,
  now: EpochMs,
): Groups {
  const [unready, missing] = [new Set<string>(), new Set<string>()];
  const counted = new Map<string, PodMetric>();
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const phase = pod.status?.phase ?? "Pending";
    if (deletionTimestamp !== undefined || phase === "Failed") continue;
    const metric = metrics.get(name);
    if (phase === "Pending") unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (isCpu && isStarting(pod, metric, now)) unready.add(name);
    else counted.set(name, metric);
  }
  return { ready: counted.size, unready, missing, metrics: counted };
}

/** Whether a pod's CPU is that of its start rather than of its work. */
function isStarting({ status }: Pod, { at, windowMs }: PodMetric, now: EpochMs): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined || status?.startTime === undefined) return true;
  const began = Date.parse(status.startTime);
  const since = Date.parse(ready.lastTransitionTime ?? "") || 0;
  const isUnready = ready.status === "False";
  if (began + cpuInitializationMs > now) return isUnready || at < since + windowMs;
  return isUnready && began + initialReadinessMs > since;
}

type PodsAsk = {
  /** As the target wants them now. */
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly metrics: PodMetrics;
  readonly isCpu: boolean;
  readonly tolerances: Tolerances;
  readonly now: EpochMs;
};

/** By what pods use of what they request. @param target percent */
export function replicasByUtilization(
  ask: PodsAsk & {
    readonly target: number;
    /** By pod, in thousandths; or why there are none. */
    readonly requests: ReadonlyMap<string, number> | string;
  },
): Proposal {
  const { target, requests } = ask;
  if (ask.pods.length === 0) return noPods;
  if (typeof requests === "string") return failed(requests);
  const ratioOf = (metrics: PodMetrics) => {
    let [used, requested, entries] = [0, 0, 0];
    for (const [name, { milli }] of metrics) {
      const request = requests.get(name);
      if (request === undefined) continue;
      used += milli;
      requested += request;
      entries += 1;
    }
    if (requested === 0) return undefined;
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / target, utilization, milli: Math.trunc(used / entries) };
  };
  // A target above all that is requested: a pod that is missing counts as at the target.
  const whenMissing = (name: string) =>
    Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100);
  return proposal(ask, ratioOf, whenMissing);
}

/** By a value a pod. @param target in thousandths */
export function replicasByAverage(ask: PodsAsk & { readonly target: number }): Proposal {
  const { target } = ask;
  if (ask.pods.length === 0) return noPods;
  const ratioOf = (metrics: PodMetrics) => {
    const used = [...metrics.values()].reduce((sum, { milli }) => sum + milli, 0);
    const milli = Math.trunc(used / metrics.size);
    return { ratio: milli / target, milli };
  };
  return proposal(ask, ratioOf, () => target);
}

type Ratio = { readonly ratio: number; readonly milli: number; readonly utilization?: number };

function proposal(
  { current, pods, metrics: all, isCpu, tolerances, now }: PodsAsk,
  ratioOf: (metrics: PodMetrics) => Ratio | undefined,
  whenMissing: (pod: string) => number,
): Proposal {
  const { ready, unready, missing, metrics } = groupPods(pods, all, isCpu, now);
  if (metrics.size === 0) return noMetrics;
  const seen = ratioOf(metrics);
  if (seen === undefined) return failed("no metrics returned matched known pods");
  const { ratio, ...told } = seen;
  const says = (replicas: number): Proposal => ({ ok: true, replicas, ...told });

  const withUnready = unready.size > 0 && ratio > 1;
  if (!withUnready && missing.size === 0) {
    return says(within(tolerances, ratio) ? current : whole(ratio * ready));
  }
  const assumed = new Map(metrics);
  const assume = (name: string, milli: number) =>
    assumed.set(name, { milli, at: now, windowMs: 0 });
  if (ratio !== 1) for (const name of missing) assume(name, ratio < 1 ? whenMissing(name) : 0);
  if (withUnready) for (const name of unready) assume(name, 0);

  const again = ratioOf(assumed)?.ratio ?? 1;
  const turned = (ratio < 1 && again > 1) || (ratio > 1 && again < 1);
  if (within(tolerances, again) || turned) return says(current);
  const replicas = whole(again * assumed.size);
  // As many as are assumed may be more, or fewer, than there are.
  const wrongWay = (again < 1 && replicas > current) || (again > 1 && replicas < current);
  return says(wrongWay ? current : replicas);
}

type WholeAsk = {
  readonly milli: number;
  /** In thousandths. */
  readonly target: number;
  readonly tolerances: Tolerances;
};

/** By one value for all: what it is to its target is what pods ought to be to those that are ready. */
export function replicasByValue({
  milli,
  target,
  tolerances,
  current,
  pods,
}: WholeAsk & { readonly current: number; readonly pods: readonly Pod[] }): Proposal {
  const ratio = milli / target;
  if (current === 0) return { ok: true, replicas: whole(ratio), milli };
  if (within(tolerances, ratio)) return { ok: true, replicas: current, milli };
  if (pods.length === 0) return noPods;
  const ready = pods.filter(isRunningAndReady).length;
  return { ok: true, replicas: whole(ratio * ready), milli };
}

/** By one value that pods share out. @param existing pods that there are, as the target counts them */
export function replicasByShare({
  milli,
  target,
  tolerances,
  existing,
}: WholeAsk & { readonly existing: number }): Proposal {
  const ratio = milli / (target * existing);
  const replicas = within(tolerances, ratio) ? existing : whole(milli / target);
  return { ok: true, replicas, milli: existing === 0 ? 0 : Math.ceil(milli / existing) };
}

const isRunningAndReady = ({ status }: Pod) =>
  status?.phase === "Running" &&
  (status.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True");
