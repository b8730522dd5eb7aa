import * as z from "zod";
import { workloadCondition } from "../condition.ts";
import { count, int64, mergeBy } from "../field.ts";
import { amount } from "../int-or-string.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector, labelsText } from "../label-selector.ts";
import { podTemplate } from "../pod/spec.ts";
import { problem } from "../problem.ts";
import { selectorIsImmutable, templateColumns, workloadCauses } from "../workload.ts";

/** Counts the changes of a DaemonSet's template. */
export const templateGenerationAnnotation = "deprecated.daemonset.template.generation";

const isZero = (value: string | number) => Number.parseInt(String(value), 10) === 0;

const rollingUpdate = z
  .strictObject({
    maxUnavailable: amount
      .default(1)
      .meta({ proto: 1, description: "Nodes that may be without an available pod meanwhile." }),
    maxSurge: amount
      .default(0)
      .meta({ proto: 2, description: "Nodes that may have an old and a new pod meanwhile." }),
  })
  .superRefine(({ maxUnavailable, maxSurge }, context) => {
    if (isZero(maxUnavailable) && isZero(maxSurge)) {
      const detail = "cannot be 0 when maxSurge is 0";
      context.addIssue(problem("FieldValueRequired", ["maxUnavailable"], detail));
    } else if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
      const detail = "may not be set when maxUnavailable is non-zero";
      context.addIssue(problem("FieldValueInvalid", ["maxSurge"], detail));
    }
    for (const [name, value] of Object.entries({ maxUnavailable, maxSurge })) {
      if (typeof value !== "string" || Number.parseInt(value, 10) <= 100) continue;
      const detail = `"${value}": must not be greater than 100%`;
      context.addIssue(problem("FieldValueInvalid", [name], detail));
    }
  })
  .meta({ title: "apps.v1.RollingUpdateDaemonSet" });
const rollingDefaults = rollingUpdate.parse({});

const updateStrategy = z
  .strictObject({
    type: z.enum(["RollingUpdate", "OnDelete"]).default("RollingUpdate").meta({ proto: 1 }),
    rollingUpdate: rollingUpdate.optional().meta({ proto: 2 }),
  })
  .overwrite((one) =>
    one.type === "RollingUpdate"
      ? { ...one, rollingUpdate: one.rollingUpdate ?? rollingDefaults }
      : one,
  )
  .meta({ title: "apps.v1.DaemonSetUpdateStrategy" });

const spec = z
  .strictObject({
    selector: labelSelector.meta({ proto: 1, description: "Must match the template's labels." }),
    template: podTemplate.meta({
      proto: 2,
      description: "What its pods are made from; its node selector says on which nodes.",
    }),
    updateStrategy: updateStrategy.prefault({}).meta({
      proto: 3,
      description: "How old pods are replaced by new ones.",
    }),
    minReadySeconds: count
      .default(0)
      .meta({ proto: 4, description: "Seconds ready before available." }),
    revisionHistoryLimit: count
      .default(10)
      .meta({ proto: 6, description: "Old revisions that are kept for undo." }),
  })
  .meta({ title: "apps.v1.DaemonSetSpec" });

const condition = workloadCondition("apps.v1.DaemonSetCondition");

const status = z
  .strictObject({
    currentNumberScheduled: count
      .default(0)
      .meta({ proto: 1, description: "Nodes that have a pod and should." }),
    numberMisscheduled: count
      .default(0)
      .meta({ proto: 2, description: "Nodes that have a pod and should not." }),
    desiredNumberScheduled: count
      .default(0)
      .meta({ proto: 3, description: "Nodes that should have a pod." }),
    numberReady: count.default(0).meta({ proto: 4 }),
    observedGeneration: int64.optional().meta({ proto: 5 }),
    updatedNumberScheduled: count.optional().meta({ proto: 6 }),
    numberAvailable: count.optional().meta({ proto: 7 }),
    numberUnavailable: count.optional().meta({ proto: 8 }),
    collisionCount: count.optional().meta({ proto: 9 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 10, ...mergeBy("type") }),
  })
  .meta({ title: "apps.v1.DaemonSetStatus" });

export const daemonSet = defineKind({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  short: ["ds"],
  categories: ["all"],
  namespaced: true,
  description: "Keeps one pod on every node that it selects.",
  spec,
  status,
  validate: workloadCauses,
  validateUpdate: selectorIsImmutable,
  columns: [
    { name: "Desired", type: "integer", read: (ds) => ds.status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", read: (ds) => ds.status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", read: (ds) => ds.status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", read: (ds) => ds.status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", read: (ds) => ds.status?.numberAvailable ?? 0 },
    {
      name: "Node Selector",
      type: "string",
      read: (ds) => labelsText(ds.spec.template.spec.nodeSelector),
    },
    ...templateColumns,
  ],
});
export type DaemonSet = ObjectOf<typeof daemonSet>;
export type DaemonSetStatus = z.output<typeof status>;
