import * as z from "zod";
import { workloadCondition } from "../condition.ts";
import { count, int64, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { podTemplate } from "../pod/spec.ts";
import { selectorIsImmutable, templateColumns, workloadCauses } from "../workload.ts";

const spec = z
  .strictObject({
    replicas: count.default(1).meta({ proto: 1, description: "Pods wanted." }),
    selector: labelSelector.meta({ proto: 2, description: "Must match the template's labels." }),
    template: podTemplate.meta({ proto: 3, description: "What its pods are made from." }),
    minReadySeconds: count
      .default(0)
      .meta({ proto: 4, description: "Seconds ready before available." }),
  })
  .meta({ title: "apps.v1.ReplicaSetSpec" });

const condition = workloadCondition("apps.v1.ReplicaSetCondition");

const status = z
  .strictObject({
    replicas: count.default(0).meta({ proto: 1 }),
    fullyLabeledReplicas: count.optional().meta({ proto: 2 }),
    observedGeneration: int64.optional().meta({ proto: 3 }),
    readyReplicas: count.default(0).meta({ proto: 4 }),
    availableReplicas: count.default(0).meta({ proto: 5 }),
    terminatingReplicas: count.optional().meta({ proto: 7 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 6, ...mergeBy("type") }),
  })
  .meta({ title: "apps.v1.ReplicaSetStatus" });

export const replicaSet = defineKind({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  short: ["rs"],
  categories: ["all"],
  namespaced: true,
  description: "Keeps a number of pods alike.",
  spec,
  status,
  scale: true,
  validate: workloadCauses,
  validateUpdate: selectorIsImmutable,
  columns: [
    { name: "Desired", type: "integer", read: (rs) => rs.spec.replicas },
    { name: "Current", type: "integer", read: (rs) => rs.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", read: (rs) => rs.status?.readyReplicas ?? 0 },
    ...templateColumns,
  ],
});
export type ReplicaSet = ObjectOf<typeof replicaSet>;
export type ReplicaSetStatus = z.output<typeof status>;
