/** A HorizontalPodAutoscaler as autoscaling/v1 has it: one target, of CPU. */
import * as z from "zod";
import { atomicStruct, count, int32, int64 } from "../field.ts";
import { withoutNulls } from "../nulls.ts";
import { time } from "../time.ts";
import { behavior } from "./behavior.ts";
import { metricSpec } from "./metric-spec.ts";
import { metricStatus } from "./metric-status.ts";
import { crossVersionObjectReference } from "./metric-target.ts";

export const specV1 = z
  .strictObject({
    scaleTargetRef: crossVersionObjectReference.meta({
      title: "autoscaling.v1.CrossVersionObjectReference",
      ...atomicStruct,
      proto: 1,
    }),
    minReplicas: int32.optional().meta({ proto: 2 }),
    maxReplicas: int32.meta({ proto: 3 }),
    targetCPUUtilizationPercentage: int32.optional().meta({ proto: 4 }),
  })
  .meta({ title: "autoscaling.v1.HorizontalPodAutoscalerSpec" });

export const statusV1 = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    lastScaleTime: time.optional().meta({ proto: 2 }),
    currentReplicas: count.default(0).meta({ proto: 3 }),
    desiredReplicas: count.default(0).meta({ proto: 4 }),
    currentCPUUtilizationPercentage: int32.optional().meta({ proto: 5 }),
  })
  .meta({ title: "autoscaling.v1.HorizontalPodAutoscalerStatus" });

/** What v1 has no field for is kept in annotations under Kubernetes' names, in v2's form. */
const prefix = "autoscaling.alpha.kubernetes.io/";
const kept = {
  metrics: z.array(metricSpec),
  behavior,
  conditions: z.array(z.record(z.string(), z.unknown())),
  "current-metrics": z.array(metricStatus),
} as const;
type Kept = keyof typeof kept;

type Loose = {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
};

type Metric = {
  readonly type?: string;
  readonly resource?: {
    readonly name?: string;
    readonly target?: { readonly averageUtilization?: number };
    readonly current?: { readonly averageUtilization?: number };
  };
};
const isCpu = ({ type, resource }: Metric) => type === "Resource" && resource?.name === "cpu";
const isPlain = (metric: Metric) =>
  isCpu(metric) && metric.resource?.target?.averageUtilization !== undefined;

/** @param object in storage form */
export function toV1(object: unknown): unknown {
  const { metadata, spec = {}, status, ...head } = object as Loose; // As it is stored.
  const {
    metrics = [],
    behavior: rules,
    ...plainSpec
  } = spec as {
    readonly metrics?: readonly Metric[];
    readonly behavior?: unknown;
  };
  const {
    currentMetrics = [],
    conditions = [],
    ...plainStatus
  } = (status ?? {}) as {
    readonly currentMetrics?: readonly Metric[];
    readonly conditions?: readonly unknown[];
  };
  const plain = metrics.find(isPlain);
  const others = metrics.filter((metric) => metric !== plain);
  const target = plain?.resource?.target?.averageUtilization;
  const current = currentMetrics.find(isCpu)?.resource?.current?.averageUtilization;
  const annotations = {
    ...metadata?.annotations,
    ...annotation("metrics", others.length > 0 ? others : undefined),
    ...annotation("behavior", rules),
    ...annotation("conditions", conditions.length > 0 ? conditions : undefined),
    ...annotation("current-metrics", currentMetrics.length > 0 ? currentMetrics : undefined),
  };
  return {
    ...head,
    apiVersion: "autoscaling/v1",
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: {
      ...plainSpec,
      ...(target !== undefined && { targetCPUUtilizationPercentage: target }),
    },
    ...(status !== undefined && {
      status: {
        ...plainStatus,
        ...(current !== undefined && { currentCPUUtilizationPercentage: current }),
      },
    }),
  };
}

/** @param object in v1, its fields those of v1's schema; what it says wrongly storage refuses */
export function fromV1(object: unknown): unknown {
  const { metadata = {}, spec, status, ...head } = object as Loose; // As above.
  const { annotations = {}, ...otherMetadata } = metadata;
  const own = Object.entries(annotations).filter(([name]) => !(name in ours));
  const { targetCPUUtilizationPercentage: percentage, ...plainSpec } = spec ?? {};
  const { currentCPUUtilizationPercentage: current, ...plainStatus } = status ?? {};
  const others = readKept(annotations, "metrics") ?? [];
  const target = { type: "Utilization", averageUtilization: percentage };
  const cpu = { type: "Resource", resource: { name: "cpu", target } };
  const used = { type: "Resource", resource: { name: "cpu", current: averageOf(current) } };
  const metrics = [...(percentage === undefined ? [] : [cpu]), ...others];
  const currentMetrics =
    readKept(annotations, "current-metrics") ?? (current === undefined ? undefined : [used]);
  const rules = readKept(annotations, "behavior");
  const conditions = readKept(annotations, "conditions");
  return {
    ...head,
    apiVersion: "autoscaling/v2",
    metadata: {
      ...otherMetadata,
      ...(own.length > 0 && { annotations: Object.fromEntries(own) }),
    },
    spec: {
      ...plainSpec,
      ...(metrics.length > 0 && { metrics }),
      ...(rules !== undefined && { behavior: rules }),
    },
    ...(status !== undefined && {
      status: {
        ...plainStatus,
        ...(currentMetrics !== undefined && { currentMetrics }),
        ...(conditions !== undefined && { conditions }),
      },
    }),
  };
}

const averageOf = (averageUtilization: unknown) => ({ averageUtilization });
const ours = Object.fromEntries(Object.keys(kept).map((name) => [prefix + name, true]));
const annotation = (name: Kept, value: unknown) =>
  value === undefined ? {} : { [prefix + name]: JSON.stringify(value) };

/** Undefined for what nobody wrote, or somebody by hand and wrongly: as Kubernetes, it is dropped. */
function readKept<K extends Kept>(
  annotations: Readonly<Record<string, string>>,
  name: K,
): z.output<(typeof kept)[K]> | undefined {
  const text = annotations[prefix + name];
  if (text === undefined) return undefined;
  try {
    const read = kept[name].safeParse(withoutNulls(JSON.parse(text)));
    return read.success ? (read.data as z.output<(typeof kept)[K]>) : undefined; // Of that very schema.
  } catch {
    return undefined; // No JSON.
  }
}
