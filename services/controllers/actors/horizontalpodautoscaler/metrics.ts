/** From what is known of metrics to how many pods they ask for, and what the status shows of them. */
import type { MetricSpec } from "../../../../libs/model/autoscaling/metric-spec.ts";
import type { MetricStatus } from "../../../../libs/model/autoscaling/metric-status.ts";
import type {
  MetricTarget,
  MetricValue,
} from "../../../../libs/model/autoscaling/metric-target.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { selectorText } from "../../../../libs/model/label-selector.ts";
import { canonicalQuantity, quantityMilli } from "../../../../libs/model/quantity.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { MetricReading } from "./readings.ts";
import {
  type Proposal,
  replicasByAverage,
  replicasByShare,
  replicasByUtilization,
  replicasByValue,
  type Tolerances,
} from "./replicas.ts";
import { requestsOf } from "./requests.ts";

export type MetricFacts = {
  /** As the target wants them, and as it has them. */
  readonly current: number;
  readonly existing: number;
  readonly pods: readonly Pod[];
  readonly tolerances: Tolerances;
  readonly now: EpochMs;
};

/** A metric that says something, or why it does not: the reason of an Event and of a condition. */
export type Judged =
  | {
      readonly ok: true;
      readonly replicas: number;
      readonly name: string;
      readonly status: MetricStatus;
    }
  | { readonly ok: false; readonly reason: string; readonly error: string };

/** @returns undefined while that cannot be known yet (N1) */
export function judge(
  spec: MetricSpec,
  reading: MetricReading,
  facts: MetricFacts,
): Judged | undefined {
  if (reading.of === "unknown") return undefined;
  const { what, reason, of } = namesOf(spec);
  const proposed =
    reading.of === "none"
      ? { ok: false as const, error: reading.why }
      : propose(spec, reading, facts);
  if (!proposed.ok) return { ok: false, reason, error: `failed to get ${of}: ${proposed.error}` };
  const { replicas } = proposed;
  return { ok: true, replicas, name: what, status: statusOf(spec, valueOf(spec, proposed)) };
}

function propose(
  spec: MetricSpec,
  reading: Exclude<MetricReading, { readonly of: "none" | "unknown" }>,
  facts: MetricFacts,
): Proposal {
  const target = targetOf(spec);
  if (reading.of === "whole") {
    const { milli } = reading;
    const { averageValue, value } = target;
    return averageValue === undefined
      ? replicasByValue({ ...facts, milli, target: quantityMilli(value ?? "0") })
      : replicasByShare({ ...facts, milli, target: quantityMilli(averageValue) });
  }
  const { resource, container } = resourceOf(spec);
  const ask = { ...facts, metrics: reading.metrics, isCpu: resource === "cpu" };
  if (target.averageUtilization === undefined) {
    return replicasByAverage({ ...ask, target: quantityMilli(target.averageValue ?? "0") });
  }
  const requests = requestsOf(facts.pods, resource, container);
  return replicasByUtilization({ ...ask, target: target.averageUtilization, requests });
}

/** An Object's target counts as a whole where its type says so, whatever else is set. */
function targetOf(spec: MetricSpec): MetricTarget {
  const source =
    spec.resource ?? spec.containerResource ?? spec.external ?? spec.object ?? spec.pods;
  const target = source?.target ?? { type: "" };
  const { averageValue, ...others } = target;
  const isWhole = spec.type === "Object" && target.type === "Value" && target.value !== undefined;
  return isWhole || averageValue === undefined ? others : target;
}

const resourceOf = ({ resource, containerResource }: MetricSpec) => ({
  resource: resource?.name ?? containerResource?.name ?? "",
  container: containerResource?.container,
});

/** What a metric is called where it is told, the reason when it fails, and what is then missing. */
function namesOf(spec: MetricSpec): {
  readonly what: string;
  readonly reason: string;
  readonly of: string;
} {
  const { resource } = resourceOf(spec);
  const isShare = targetOf(spec).averageUtilization !== undefined;
  const share = isShare ? " utilization (percentage of request)" : "";
  switch (spec.type) {
    case "Resource":
      return {
        what: `${resource} resource${share}`,
        reason: "FailedGetResourceMetric",
        of: `${resource} ${isShare ? "utilization" : "usage"}`,
      };
    case "ContainerResource":
      return {
        what: `${resource} container resource${share}`,
        reason: "FailedGetContainerResourceMetric",
        of: `${resource} container metric value`,
      };
    case "Pods":
      return {
        what: `pods metric ${spec.pods?.metric.name}`,
        reason: "FailedGetPodsMetric",
        of: "pods metric value",
      };
    case "Object": {
      const { describedObject, metric } = spec.object ?? {};
      return {
        what: `${describedObject?.kind} metric ${metric?.name}`,
        reason: "FailedGetObjectMetric",
        of: "object metric value",
      };
    }
    case "External": {
      const { name = "", selector } = spec.external?.metric ?? {};
      return {
        what: `external metric ${name}(${selector === undefined ? "nil" : selectorText(selector)})`,
        reason: "FailedGetExternalMetric",
        of: `${name} external metric`,
      };
    }
    default:
      return spec.type satisfies never;
  }
}

const quantityOf = (milli: number) => canonicalQuantity(`${Math.trunc(milli)}m`);

function valueOf(
  spec: MetricSpec,
  { milli, utilization }: Proposal & { readonly ok: true },
): MetricValue {
  if (spec.type === "External" || spec.type === "Object") {
    const isShare = targetOf(spec).averageValue !== undefined;
    return isShare ? { averageValue: quantityOf(milli) } : { value: quantityOf(milli) };
  }
  return {
    averageValue: quantityOf(milli),
    ...(utilization !== undefined && { averageUtilization: Math.min(utilization, 2 ** 31 - 1) }),
  };
}

function statusOf(spec: MetricSpec, current: MetricValue): MetricStatus {
  const { type, resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined) return { type, resource: { name: resource.name, current } };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { type, containerResource: { name, container, current } };
  }
  if (pods !== undefined) return { type, pods: { metric: pods.metric, current } };
  if (external !== undefined) return { type, external: { metric: external.metric, current } };
  if (object === undefined) return { type: "" };
  const { metric, describedObject } = object;
  return { type, object: { metric, current, describedObject } };
}
