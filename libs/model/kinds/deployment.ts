import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { count, int64, mergeBy } from "../field.ts";
import { amount } from "../int-or-string.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { podTemplate } from "../pod/spec.ts";
import { problem } from "../problem.ts";
import { time } from "../time.ts";
import { selectorIsImmutable, templateColumns, workloadCauses } from "../workload.ts";

const rollingUpdate = z
  .strictObject({
    maxUnavailable: amount
      .default("25%")
      .meta({ proto: 1, description: "Pods that may be missing during an update." }),
    maxSurge: amount
      .default("25%")
      .meta({ proto: 2, description: "Pods that may be too many during an update." }),
  })
  .superRefine(({ maxUnavailable, maxSurge }, context) => {
    if (
      Number.parseInt(String(maxUnavailable), 10) === 0 &&
      Number.parseInt(String(maxSurge), 10) === 0
    ) {
      const detail = "may not be 0 when `maxSurge` is 0";
      context.addIssue(problem("FieldValueInvalid", ["maxUnavailable"], detail));
    }
    if (typeof maxUnavailable === "string" && Number.parseInt(maxUnavailable, 10) > 100) {
      const detail = `"${maxUnavailable}": must not be greater than 100%`;
      context.addIssue(problem("FieldValueInvalid", ["maxUnavailable"], detail));
    }
  })
  .meta({ title: "apps.v1.RollingUpdateDeployment" });

const strategy = z
  .strictObject({
    type: z.enum(["RollingUpdate", "Recreate"]).default("RollingUpdate").meta({ proto: 1 }),
    rollingUpdate: rollingUpdate.optional().meta({ proto: 2 }),
  })
  .superRefine(({ type, rollingUpdate }, context) => {
    if (type !== "Recreate" || rollingUpdate === undefined) return;
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    context.addIssue(problem("FieldValueForbidden", ["rollingUpdate"], detail));
  })
  .overwrite((one) =>
    one.type === "RollingUpdate"
      ? { ...one, rollingUpdate: one.rollingUpdate ?? rollingDefaults }
      : one,
  )
  .meta({ title: "apps.v1.DeploymentStrategy" });
const rollingDefaults = rollingUpdate.parse({});

const spec = z
  .strictObject({
    replicas: count.default(1).meta({ proto: 1, description: "Pods wanted." }),
    selector: labelSelector.meta({ proto: 2, description: "Must match the template's labels." }),
    template: podTemplate.meta({ proto: 3, description: "What its pods are made from." }),
    strategy: strategy.prefault({}).meta({
      proto: 4,
      "x-kubernetes-patch-strategy": "retainKeys",
      description: "How old pods are replaced by new ones.",
    }),
    minReadySeconds: count
      .default(0)
      .meta({ proto: 5, description: "Seconds ready before available." }),
    revisionHistoryLimit: count
      .default(10)
      .meta({ proto: 6, description: "Old ReplicaSets that are kept for undo." }),
    paused: z.boolean().optional().meta({ proto: 7, description: "Rolls nothing out while true." }),
    progressDeadlineSeconds: count
      .default(600)
      .meta({ proto: 9, description: "Seconds without progress before it counts as failed." }),
  })
  .superRefine(({ progressDeadlineSeconds, minReadySeconds }, context) => {
    if (progressDeadlineSeconds > minReadySeconds) return;
    const detail = `${progressDeadlineSeconds}: must be greater than minReadySeconds`;
    context.addIssue(problem("FieldValueInvalid", ["progressDeadlineSeconds"], detail));
  })
  .meta({ title: "apps.v1.DeploymentSpec" });

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastUpdateTime: time.optional().meta({ proto: 6 }),
    lastTransitionTime: time.optional().meta({ proto: 7 }),
    reason: z.string().optional().meta({ proto: 4 }),
    message: z.string().optional().meta({ proto: 5 }),
  })
  .meta({ title: "apps.v1.DeploymentCondition" });
export type DeploymentCondition = z.output<typeof condition>;

const status = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    replicas: count.default(0).meta({ proto: 2 }),
    updatedReplicas: count.default(0).meta({ proto: 3 }),
    readyReplicas: count.default(0).meta({ proto: 7 }),
    availableReplicas: count.default(0).meta({ proto: 4 }),
    unavailableReplicas: count.default(0).meta({ proto: 5 }),
    terminatingReplicas: count.optional().meta({ proto: 9 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 6, ...mergeBy("type") }),
    collisionCount: count.optional().meta({ proto: 8 }),
  })
  .meta({ title: "apps.v1.DeploymentStatus" });

export const deployment = defineKind({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  short: ["deploy"],
  categories: ["all"],
  namespaced: true,
  description: "Keeps a number of pods alike, and replaces them step by step.",
  spec,
  status,
  scale: true,
  validate: workloadCauses,
  validateUpdate: selectorIsImmutable,
  columns: [
    {
      name: "Ready",
      type: "string",
      read: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas}`,
    },
    {
      name: "Up-to-date",
      type: "integer",
      read: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: "Available",
      type: "integer",
      read: ({ status }) => status?.availableReplicas ?? 0,
    },
    ...templateColumns,
  ],
});
export type Deployment = ObjectOf<typeof deployment>;
export type DeploymentStatus = z.output<typeof status>;
