/** What programs tell of themselves, as this instance heard it (libs/protocol/reported-metrics.ts). */
import type { Bus, Served } from "../../../libs/bus/bus.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { quantityMilli } from "../../../libs/model/quantity.ts";
import { readMessage } from "../../../libs/protocol/read-message.ts";
import {
  reportedMetrics,
  type ReportedMetric,
  type ReportedMetrics,
} from "../../../libs/protocol/reported-metrics.ts";
import { reportedMetricsSubject } from "../../../libs/protocol/subjects.ts";
import { usageMaxAgeMs } from "../../../libs/protocol/usage.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { DescribedObject, MetricName, MetricValues, Reading } from "../measurements.ts";

/** Remembered at once, each metric of each pod, object and set of labels; others are dropped. */
export const seriesMax = 50_000;

type Series = Omit<ReportedMetric, "value"> & { readonly milli: number; readonly atMs: number };

export type ReportedValues = MetricValues & { hear(message: ReportedMetrics): void };

/** @param heardForMs for how long this instance has listened without a break */
export function reportedValues(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  heardForMs: () => number,
): ReportedValues {
  /** By namespace and metric, then by what it is of. */
  const heard = new Map<string, Map<string, Series>>();
  let [series, sweptAtMs, isFull] = [0, clock.monotonicMs(), false];
  const isFresh = ({ atMs }: Series) => clock.monotonicMs() - atMs <= usageMaxAgeMs;

  function sweep(): void {
    if (clock.monotonicMs() - sweptAtMs < usageMaxAgeMs) return;
    sweptAtMs = clock.monotonicMs();
    for (const [metric, all] of heard) {
      for (const [of, one] of all) if (!isFresh(one) && all.delete(of)) series -= 1;
      if (all.size === 0) heard.delete(metric);
    }
  }

  function take({ value, ...told }: ReportedMetric): void {
    const metric = metricKey(told.namespace, told.metric);
    const of = seriesKey(told);
    const all = heard.get(metric) ?? new Map<string, Series>();
    if (!all.has(of)) {
      if (series >= seriesMax) {
        if (!isFull) log.warn({ seriesMax }, "more metrics are told than are remembered");
        isFull = true;
        return;
      }
      series += 1;
    }
    isFull = false;
    all.set(of, { ...told, milli: quantityMilli(value), atMs: clock.monotonicMs() });
    heard.set(metric, all);
  }

  const selected = ({ namespace, name, selector }: MetricName): readonly Series[] =>
    [...(heard.get(metricKey(namespace, name))?.values() ?? [])]
      .filter(isFresh)
      .filter(({ labels = {} }) => selector === undefined || matchesSelector(selector, labels));

  /** Who has not listened for long enough does not know that there is none (N1). */
  const none = (what: string): Reading & { readonly known: false } => ({
    known: false,
    why: heardForMs() < usageMaxAgeMs ? undefined : `unable to get ${what}: nobody tells it`,
  });

  const whole = (all: readonly Series[], what: string): Reading =>
    all.length === 0 ? none(what) : { known: true, ...summed(all, clock.monotonicMs()) };

  return {
    hear({ metrics }) {
      sweep();
      for (const one of metrics) take(one);
    },
    external(metric) {
      const all = selected(metric).filter(
        ({ pod, object }) => pod === undefined && object === undefined,
      );
      return whole(all, `external metric ${metric.namespace}/${metric.name}`);
    },
    object(metric, described) {
      const all = selected(metric).filter(({ object }) => object && isSame(object, described));
      return whole(all, `metric ${metric.name} of ${described.kind} ${described.name}`);
    },
    pods(metric) {
      const byPod = Map.groupBy(
        selected(metric).filter(({ pod }) => pod !== undefined),
        ({ pod = "" }) => pod,
      );
      if (byPod.size === 0) return none(`metric ${metric.name} of pods`);
      const now = clock.monotonicMs();
      const values = [...byPod].map(([pod, all]) => [pod, summed(all, now)] as const);
      return { known: true, byPod: new Map(values) };
    },
  };
}

/** Listens to whoever tells; a message that cannot be read counts as not told. */
export function listenToMetrics(
  bus: Bus,
  values: Pick<ReportedValues, "hear">,
  log: Log,
): Promise<Served> {
  return bus.subscribe(reportedMetricsSubject, ({ data }) => {
    const message = readMessage(reportedMetrics, data);
    if (message !== undefined) values.hear(message);
    else log.debug({ sizeBytes: data.byteLength }, "told metrics could not be read");
  });
}

const metricKey = (namespace: string, metric: string) => `${namespace}/${metric}`;

const seriesKey = ({ pod, object, labels = {} }: Omit<ReportedMetric, "value">): string =>
  JSON.stringify([
    pod,
    object && [object.apiVersion, object.kind, object.name],
    Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);

/** What tells no apiVersion means any. */
const isSame = (told: DescribedObject, { apiVersion, kind, name }: DescribedObject): boolean =>
  told.kind === kind &&
  told.name === name &&
  (told.apiVersion === undefined || apiVersion === undefined || told.apiVersion === apiVersion);

/** As old as the oldest. */
const summed = (all: readonly Series[], now: number) => ({
  milli: all.reduce((sum, { milli }) => sum + milli, 0),
  ageMs: Math.max(...all.map(({ atMs }) => now - atMs)),
});
