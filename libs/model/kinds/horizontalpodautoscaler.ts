import * as z from "zod";
import { behavior, withDefaults } from "../autoscaling/behavior.ts";
import { metricSpec } from "../autoscaling/metric-spec.ts";
import { metricStatus } from "../autoscaling/metric-status.ts";
import { crossVersionObjectReference } from "../autoscaling/metric-target.ts";
import { targetsText } from "../autoscaling/targets-column.ts";
import { fromV1, specV1, statusV1, toV1 } from "../autoscaling/version-1.ts";
import { conditionStatus } from "../condition.ts";
import { atomicList, count, int32, int64, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { problem } from "../problem.ts";
import { time } from "../time.ts";

const defaultMetrics = [
  metricSpec.parse({
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
  }),
];

const spec = z
  .strictObject({
    scaleTargetRef: crossVersionObjectReference.meta({ proto: 1, description: "What is scaled." }),
    minReplicas: int32.default(1).meta({
      proto: 2,
      description: "Never fewer; 0 is permitted where an Object or External metric is named.",
    }),
    maxReplicas: int32.meta({ proto: 3, description: "Never more." }),
    metrics: z
      .array(metricSpec)
      .overwrite((metrics) => (metrics.length === 0 ? defaultMetrics : metrics))
      .default(defaultMetrics)
      .meta({
        proto: 4,
        ...atomicList,
        description: "What it goes by; the one that asks for most counts. 80 % of CPU when absent.",
      }),
    behavior: behavior
      .overwrite(withDefaults)
      .optional()
      .meta({ proto: 5, description: "How fast it may go, each way." }),
  })
  .superRefine(({ minReplicas, maxReplicas, metrics }, context) => {
    const invalid = (field: string, shown: number, detail: string) =>
      context.addIssue(problem("FieldValueInvalid", [field], `${shown}: ${detail}`));
    if (minReplicas < 0) {
      invalid("minReplicas", minReplicas, "must be greater than or equal to 0");
    }
    if (
      minReplicas === 0 &&
      !metrics.some(({ type }) => type === "Object" || type === "External")
    ) {
      const detail =
        "must specify at least one Object or External metric to support scaling to zero replicas";
      context.addIssue(problem("FieldValueForbidden", ["metrics"], detail));
    }
    if (maxReplicas < 1) invalid("maxReplicas", maxReplicas, "must be greater than 0");
    else if (maxReplicas < minReplicas) {
      invalid("maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
    }
  })
  .meta({ title: "autoscaling.v2.HorizontalPodAutoscalerSpec" });

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastTransitionTime: time.optional().meta({ proto: 3 }),
    reason: z.string().optional().meta({ proto: 4 }),
    message: z.string().optional().meta({ proto: 5 }),
    observedGeneration: int64.optional().meta({ proto: 6 }),
  })
  .meta({ title: "autoscaling.v2.HorizontalPodAutoscalerCondition" });

const status = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    lastScaleTime: time.optional().meta({ proto: 2 }),
    currentReplicas: count.optional().meta({ proto: 3 }),
    desiredReplicas: count.default(0).meta({ proto: 4 }),
    currentMetrics: z
      .array(metricStatus)
      .optional()
      .meta({ proto: 5, ...atomicList }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 6, ...mergeBy("type") }),
  })
  .meta({ title: "autoscaling.v2.HorizontalPodAutoscalerStatus" });

export const horizontalPodAutoscaler = defineKind({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  short: ["hpa"],
  categories: ["all"],
  namespaced: true,
  description: "Sets the number of pods of another object by what they use.",
  spec,
  status,
  versions: [
    { version: "v1", spec: specV1, status: statusV1, toStorage: fromV1, fromStorage: toV1 },
  ],
  columns: [
    {
      name: "Reference",
      type: "string",
      read: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
    },
    {
      name: "Targets",
      type: "string",
      read: (one) => targetsText(one.spec.metrics, one.status?.currentMetrics),
    },
    { name: "MinPods", type: "string", read: (one) => String(one.spec.minReplicas) },
    { name: "MaxPods", type: "integer", read: (one) => one.spec.maxReplicas },
    { name: "Replicas", type: "integer", read: (one) => one.status?.currentReplicas ?? 0 },
  ],
});
export type HorizontalPodAutoscaler = ObjectOf<typeof horizontalPodAutoscaler>;
