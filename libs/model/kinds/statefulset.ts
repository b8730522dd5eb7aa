import { dequal } from "dequal";
import * as z from "zod";
import { workloadCondition } from "../condition.ts";
import type { Cause } from "../errors.ts";
import { atomicList, count, int64, mergeBy } from "../field.ts";
import { amount } from "../int-or-string.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { dnsLabel } from "../names.ts";
import { claimingPodTemplate, strayMounts } from "../pod/spec.ts";
import { problem } from "../problem.ts";
import { claimTemplate } from "../volume-claim.ts";
import { containerColumns, workloadCauses } from "../workload.ts";

const rollingUpdate = z
  .strictObject({
    partition: count
      .default(0)
      .meta({ proto: 1, description: "Ordinals below it keep the current revision." }),
    maxUnavailable: amount
      .optional()
      .meta({ proto: 2, description: "Pods that may be missing during an update; 1 when absent." }),
  })
  .superRefine(({ maxUnavailable = 1 }, context) => {
    const number = Number.parseInt(String(maxUnavailable), 10);
    if (number > 0 && (typeof maxUnavailable === "number" || number <= 100)) return;
    const detail = number === 0 ? "cannot be 0" : "must not be greater than 100%";
    const shown = `${JSON.stringify(maxUnavailable)}: ${detail}`;
    context.addIssue(problem("FieldValueInvalid", ["maxUnavailable"], shown));
  })
  .meta({ title: "apps.v1.RollingUpdateStatefulSetStrategy" });
const rollingDefaults = rollingUpdate.parse({});

const updateStrategy = z
  .strictObject({
    type: z.enum(["RollingUpdate", "OnDelete"]).default("RollingUpdate").meta({ proto: 1 }),
    rollingUpdate: rollingUpdate.optional().meta({ proto: 2 }),
  })
  .superRefine(({ type, rollingUpdate }, context) => {
    if (type !== "OnDelete" || rollingUpdate === undefined) return;
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    context.addIssue(problem("FieldValueInvalid", ["rollingUpdate"], detail));
  })
  .overwrite((one) =>
    one.type === "RollingUpdate"
      ? { ...one, rollingUpdate: one.rollingUpdate ?? rollingDefaults }
      : one,
  )
  .meta({ title: "apps.v1.StatefulSetUpdateStrategy" });

const retention = z.enum(["Retain", "Delete"]).default("Retain");

const spec = z
  .strictObject({
    replicas: count.default(1).meta({ proto: 1, description: "Pods wanted." }),
    selector: labelSelector.meta({ proto: 2, description: "Must match the template's labels." }),
    template: claimingPodTemplate.meta({ proto: 3, description: "What its pods are made from." }),
    volumeClaimTemplates: z
      .array(claimTemplate)
      .optional()
      .meta({ proto: 4, ...atomicList, description: "Storage that each pod keeps for itself." }),
    serviceName: z
      .string()
      .refine(
        (name) => name === "" || dnsLabel.safeParse(name).success,
        "must be a lowercase RFC 1123 label",
      )
      .optional()
      .meta({ proto: 5, description: "The headless Service of its pods' names." }),
    podManagementPolicy: z
      .enum(["OrderedReady", "Parallel"])
      .default("OrderedReady")
      .meta({ proto: 6, description: "Whether pods wait for one another when it scales." }),
    updateStrategy: updateStrategy.prefault({}).meta({
      proto: 7,
      description: "How old pods are replaced by new ones.",
    }),
    revisionHistoryLimit: count
      .default(10)
      .meta({ proto: 8, description: "Old revisions that are kept for undo." }),
    minReadySeconds: count
      .default(0)
      .meta({ proto: 9, description: "Seconds ready before available." }),
    persistentVolumeClaimRetentionPolicy: z
      .strictObject({
        whenDeleted: retention.meta({ proto: 1 }),
        whenScaled: retention.meta({ proto: 2 }),
      })
      .meta({ title: "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy" })
      .prefault({})
      .meta({ proto: 10, description: "What becomes of its pods' claims." }),
    ordinals: z
      .strictObject({ start: count.default(0).meta({ proto: 1 }) })
      .meta({ title: "apps.v1.StatefulSetOrdinals" })
      .optional()
      .meta({ proto: 11, description: "The numbers in its pods' names." }),
  })
  .meta({ title: "apps.v1.StatefulSetSpec" });

const condition = workloadCondition("apps.v1.StatefulSetCondition");

const status = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    replicas: count.default(0).meta({ proto: 2 }),
    readyReplicas: count.optional().meta({ proto: 3 }),
    currentReplicas: count.optional().meta({ proto: 4 }),
    updatedReplicas: count.optional().meta({ proto: 5 }),
    currentRevision: z.string().optional().meta({ proto: 6 }),
    updateRevision: z.string().optional().meta({ proto: 7 }),
    collisionCount: count.optional().meta({ proto: 9 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 10, ...mergeBy("type") }),
    availableReplicas: count.default(0).meta({ proto: 11 }),
  })
  .meta({ title: "apps.v1.StatefulSetStatus" });

export const statefulSet = defineKind({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  short: ["sts"],
  categories: ["all"],
  namespaced: true,
  description: "Keeps a number of pods that each have a name of their own.",
  name: dnsLabel, // It begins its pods' host names.
  spec,
  status,
  scale: true,
  validate: (one) => [...workloadCauses(one), ...mountCauses(one.spec)],
  validateUpdate: ({ spec: before }, { spec: after }) => fixedCauses(before, after),
  columns: [
    {
      name: "Ready",
      type: "string",
      read: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas}`,
    },
    ...containerColumns,
  ],
});
export type StatefulSet = ObjectOf<typeof statefulSet>;
export type StatefulSetStatus = z.output<typeof status>;
type Spec = z.output<typeof spec>;

/** A container mounts volumes of the template, or claims. */
function mountCauses({ template, volumeClaimTemplates = [] }: Spec): readonly Cause[] {
  const claims = new Set(volumeClaimTemplates.map(({ metadata }) => metadata.name));
  return strayMounts(template.spec)
    .filter(({ name }) => !claims.has(name))
    .map(({ path, name }) => ({
      reason: "FieldValueNotFound",
      field: `spec.template.spec${path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("")}`,
      message: `Not found: ${JSON.stringify(name)}`,
    }));
}

const message =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
  "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
  "'minReadySeconds' are forbidden";

function fixedCauses(before: Spec, after: Spec): readonly Cause[] {
  if (dequal(fixedPart(before), fixedPart(after))) return [];
  return [{ reason: "FieldValueForbidden", field: "spec", message }];
}

const fixedPart = ({ selector, volumeClaimTemplates, serviceName, podManagementPolicy }: Spec) => ({
  selector,
  volumeClaimTemplates: volumeClaimTemplates ?? [],
  serviceName: serviceName ?? "",
  podManagementPolicy,
});
