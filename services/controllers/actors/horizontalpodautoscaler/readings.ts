/** What is known at a turn of each metric that an autoscaler goes by. */
import { usageOfPod } from "../../../../libs/cluster/pod-usage.ts";
import type { MetricSpec } from "../../../../libs/model/autoscaling/metric-spec.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { isLive } from "../../../../libs/model/pod/state.ts";
import { usageMaxAgeMs, usagePeriodMs } from "../../../../libs/protocol/usage.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { Measured, Reading } from "../../measurements.ts";
import type { PodMetric, PodMetrics } from "./replicas.ts";

/** One for each metric of the spec, in its order. */
export type MetricReading =
  | { readonly of: "pods"; readonly metrics: PodMetrics }
  | { readonly of: "whole"; readonly milli: number }
  | { readonly of: "none"; readonly why: string }
  /** This instance has not listened for long enough to say (N1). */
  | { readonly of: "unknown" };

/** Who has listened so long has heard of every container that its agent knows. */
const listenMs = 3 * usagePeriodMs;

export function readingOf(
  spec: MetricSpec,
  around: {
    readonly measured: Measured | undefined;
    readonly namespace: string;
    readonly asker: string;
    readonly pods: readonly Pod[];
    readonly now: EpochMs;
  },
): MetricReading {
  const { measured, namespace, asker, pods, now } = around;
  if (measured === undefined) return { of: "unknown" };
  const { values } = measured;
  switch (spec.type) {
    case "Resource":
      return usageReading(measured, pods, { resource: spec.resource?.name ?? "", now });
    case "ContainerResource": {
      const { name: resource = "", container } = spec.containerResource ?? {};
      return usageReading(measured, pods, { resource, container, now });
    }
    case "External": {
      const { name = "", selector } = spec.external?.metric ?? {};
      return wholeReading(values.external({ namespace, name, selector }, asker));
    }
    case "Object": {
      const { name = "", selector } = spec.object?.metric ?? {};
      const described = spec.object?.describedObject ?? { kind: "", name: "" };
      return wholeReading(values.object({ namespace, name, selector }, described));
    }
    case "Pods": {
      const { name = "", selector } = spec.pods?.metric ?? {};
      const found = values.pods({ namespace, name, selector });
      if (!found.known) return noneFor(found.why);
      const metrics = [...found.byPod].map(([pod, { milli, ageMs }]): [string, PodMetric] => [
        pod,
        { milli, at: now - ageMs, windowMs: 0 },
      ]);
      return { of: "pods", metrics: new Map(metrics) };
    }
    default:
      return spec.type satisfies never;
  }
}

function wholeReading(reading: Reading): MetricReading {
  if (reading.known) {
    if (reading.ageMs <= usageMaxAgeMs) return { of: "whole", milli: reading.milli };
    return { of: "none", why: "the metric was not heard of for too long" };
  }
  return noneFor(reading.why);
}

const noneFor = (why: string | undefined): MetricReading =>
  why === undefined ? { of: "unknown" } : { of: "none", why };

/** Amounts of one resource that pods, or one container of each, use. */
function usageReading(
  { usage, heardForMs }: Measured,
  pods: readonly Pod[],
  {
    resource,
    container,
    now,
  }: { readonly resource: string; readonly container?: string | undefined; readonly now: EpochMs },
): MetricReading {
  const metrics = new Map<string, PodMetric>();
  let missing = 0;
  for (const pod of pods) {
    const used = usageOfPod(pod, usage);
    const counted = used?.containers.filter(
      ({ name }) => container === undefined || name === container,
    );
    if (used === undefined || counted === undefined || counted.length === 0) {
      if (isLive(pod) && pod.status?.phase === "Running") missing += 1;
      continue;
    }
    const amounts = counted.map((one) => milliOf(resource, one));
    const windowMs = Math.max(...counted.map((one) => one.windowMs));
    if (amounts.some((amount) => amount === undefined)) continue;
    const milli = amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
    metrics.set(pod.metadata.name, { milli, at: now - used.ageMs, windowMs });
  }
  if (missing > 0 && heardForMs() < listenMs) return { of: "unknown" };
  if (metrics.size > 0) return { of: "pods", metrics };
  return {
    of: "none",
    why: `unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`,
  };
}

/** Undefined for a resource that nobody measures. */
function milliOf(
  resource: string,
  used: { readonly cpuNanoCores: number; readonly memoryBytes: number },
): number | undefined {
  if (resource === "cpu") return Math.ceil(used.cpuNanoCores / 1e6);
  return resource === "memory" ? used.memoryBytes * 1_000 : undefined;
}
