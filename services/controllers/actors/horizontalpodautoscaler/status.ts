/** An autoscaler's status, and which of its changes are worth a write. */
import type { MetricSpec } from "../../../../libs/model/autoscaling/metric-spec.ts";
import type { MetricStatus } from "../../../../libs/model/autoscaling/metric-status.ts";
import type { HorizontalPodAutoscaler } from "../../../../libs/model/kinds/horizontalpodautoscaler.ts";
import { quantityNumber } from "../../../../libs/model/quantity.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

export type Status = NonNullable<HorizontalPodAutoscaler["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];
export type Said = Pick<Condition, "type" | "status"> & {
  readonly reason: string;
  readonly message: string;
};

/** A metric that has moved by less than this share of its target is shown as it was. */
const noticeableShare = 0.1;
/** What only shows how metrics are is written no more often: Kubernetes' own period. */
const shownEveryMs = 15_000;

/** With what a turn says of some conditions; the time is that of the last change of a status. */
export function withConditions(
  before: readonly Condition[] = [],
  said: readonly Said[],
  now: EpochMs,
): Condition[] {
  const types = new Set([...before, ...said].map(({ type }) => type));
  return [...types].flatMap((type) => {
    const was = before.find((one) => one.type === type);
    const is = said.find((one) => one.type === type);
    if (is === undefined) return was ?? [];
    const since = was?.status === is.status ? was.lastTransitionTime : undefined;
    return { ...is, lastTransitionTime: since ?? timeOf(now) };
  });
}

/**
 * The status to write; the very one that there is when the difference is not worth it. Numbers of
 * pods and what can be done about them count at once. What only shows how metrics are, and what they
 * ask for within the limits, has to be noticeable, and waits: a cluster that idles writes nothing.
 *
 * @param shownAt when it was last written for such a reason
 */
export function worthWriting(
  before: Status | undefined,
  after: Status,
  {
    metrics,
    shownAt,
    now,
  }: { readonly metrics: readonly MetricSpec[]; readonly shownAt: EpochMs; readonly now: EpochMs },
): { readonly status: Status | undefined; readonly shownAt: EpochMs } {
  if (before === undefined || essence(before) !== essence(after)) {
    return { status: after, shownAt: now };
  }
  const isSame =
    conditionsText(before) === conditionsText(after) && !hasMoved(before, after, metrics);
  if (isSame || now - shownAt < shownEveryMs) return { status: before, shownAt };
  return { status: after, shownAt: now };
}

/** What counts at once. */
const essence = ({ currentMetrics: _shown, conditions = [], ...counts }: Status): string =>
  JSON.stringify([
    Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    conditions.map(({ type, status, reason }) =>
      // Why it is able, and whether limits bind, comes and goes with a load that hovers.
      type === "ScalingActive" ? [type, status, reason] : [type, type === "AbleToScale" && status],
    ),
  ]);

const conditionsText = ({ conditions = [] }: Status): string =>
  JSON.stringify(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
  );

function hasMoved(before: Status, after: Status, specs: readonly MetricSpec[]): boolean {
  const { currentMetrics: was = [] } = before;
  const { currentMetrics: is = [] } = after;
  if (was.length !== is.length) return true;
  return specs.some((spec, nth) => {
    const [old, next] = [amountsOf(was[nth]), amountsOf(is[nth])];
    if (old === undefined || next === undefined) return old !== next;
    const target = targetsOf(spec);
    return next.some((amount, at) => {
      const goal = target[at];
      const moved = Math.abs(amount - (old[at] ?? Number.NaN));
      return goal !== undefined && !(moved <= goal * noticeableShare);
    });
  });
}

type Amounts = {
  readonly value?: string | undefined;
  readonly averageValue?: string | undefined;
  readonly averageUtilization?: number | undefined;
};

/** As a whole, a pod, in percent; what is not there is not a number. */
const numbersOf = ({ value, averageValue, averageUtilization }: Amounts): readonly number[] => [
  value === undefined ? Number.NaN : quantityNumber(value),
  averageValue === undefined ? Number.NaN : quantityNumber(averageValue),
  averageUtilization ?? Number.NaN,
];

function amountsOf(status: MetricStatus | undefined): readonly number[] | undefined {
  const { resource, containerResource, pods, object, external } = status ?? {};
  const current = (resource ?? containerResource ?? pods ?? object ?? external)?.current;
  return current === undefined ? undefined : numbersOf(current);
}

/** What has no target is not looked at. */
function targetsOf(spec: MetricSpec): readonly (number | undefined)[] {
  const { resource, containerResource, pods, object, external } = spec;
  const target = (resource ?? containerResource ?? pods ?? object ?? external)?.target ?? {};
  return numbersOf(target).map((goal) => (Number.isNaN(goal) ? undefined : goal));
}
