import * as z from "zod";
import { workloadCondition } from "../condition.ts";
import type { Cause } from "../errors.ts";
import { count, int64, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelsText, matchesLabels } from "../label-selector.ts";
import { labels } from "../metadata.ts";
import { podTemplate } from "../pod/spec.ts";
import { containerColumns, lastingCauses } from "../workload.ts";

const spec = z
  .strictObject({
    replicas: count.default(1).meta({ proto: 1, description: "Pods wanted." }),
    minReadySeconds: count
      .default(0)
      .meta({ proto: 4, description: "Seconds ready before available." }),
    selector: labels.optional().meta({
      proto: 2,
      "x-kubernetes-map-type": "atomic",
      description: "Labels of its pods; the template's when absent.",
    }),
    template: podTemplate.meta({ proto: 3, description: "What its pods are made from." }),
  })
  .overwrite((one) => ({ ...one, selector: one.selector ?? { ...one.template.metadata.labels } }))
  .meta({ title: "core.v1.ReplicationControllerSpec" });
type Spec = z.output<typeof spec>;

const condition = workloadCondition("core.v1.ReplicationControllerCondition");

const status = z
  .strictObject({
    replicas: count.default(0).meta({ proto: 1 }),
    fullyLabeledReplicas: count.optional().meta({ proto: 2 }),
    observedGeneration: int64.optional().meta({ proto: 3 }),
    readyReplicas: count.default(0).meta({ proto: 4 }),
    availableReplicas: count.default(0).meta({ proto: 5 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 6, ...mergeBy("type") }),
  })
  .meta({ title: "core.v1.ReplicationControllerStatus" });

export const replicationController = defineKind({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  short: ["rc"],
  categories: ["all"],
  namespaced: true,
  description: "Keeps a number of pods alike; a ReplicaSet with an older selector.",
  spec,
  status,
  scale: true,
  validate: (one) => [...selectorCauses(one.spec), ...lastingCauses(one)],
  columns: [
    { name: "Desired", type: "integer", read: (rc) => rc.spec.replicas },
    { name: "Current", type: "integer", read: (rc) => rc.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", read: (rc) => rc.status?.readyReplicas ?? 0 },
    ...containerColumns,
    { name: "Selector", type: "string", priority: 1, read: (rc) => labelsText(rc.spec.selector) },
  ],
});
export type ReplicationController = ObjectOf<typeof replicationController>;

function selectorCauses({ selector = {}, template }: Spec): readonly Cause[] {
  const { labels: made = {} } = template.metadata;
  if (Object.keys(selector).length === 0) {
    return [{ reason: "FieldValueRequired", field: "spec.selector", message: "Required value" }];
  }
  if (matchesLabels(selector, made)) return [];
  const message = `Invalid value: ${JSON.stringify(made)}: \`selector\` does not match template \`labels\``;
  return [{ reason: "FieldValueInvalid", field: "spec.template.metadata.labels", message }];
}
