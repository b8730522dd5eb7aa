import { dequal } from "dequal";
import * as z from "zod";
import { atomicList, stringMap } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelKey } from "../names.ts";
import { isDefaultClass } from "../storage/class.ts";
import { ageOf } from "../time.ts";

const topologyTerm = z
  .strictObject({
    matchLabelExpressions: z
      .array(
        z
          .strictObject({
            key: labelKey.meta({ proto: 1 }),
            values: z
              .array(z.string())
              .min(1, "Required value")
              .meta({ proto: 2, ...atomicList }),
          })
          .meta({ title: "core.v1.TopologySelectorLabelRequirement" }),
      )
      .optional()
      .meta({ proto: 1, ...atomicList }),
  })
  .meta({ title: "core.v1.TopologySelectorTerm", "x-kubernetes-map-type": "atomic" });

export const storageClass = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  short: ["sc"],
  namespaced: false,
  description: "A kind of storage, and who makes it.",
  fields: {
    provisioner: labelKey.meta({ proto: 2, description: "Who makes volumes of the class." }),
    parameters: stringMap.optional().meta({ proto: 3 }),
    reclaimPolicy: z.enum(["Retain", "Delete", "Recycle"]).default("Delete").meta({
      proto: 4,
      description: "What becomes of a volume when its claim is gone.",
    }),
    mountOptions: z
      .array(z.string())
      .optional()
      .meta({ proto: 5, ...atomicList }),
    allowVolumeExpansion: z.boolean().optional().meta({ proto: 6 }),
    volumeBindingMode: z
      .enum(["Immediate", "WaitForFirstConsumer"])
      .default("Immediate")
      .meta({ proto: 7, description: "Whether a claim waits for a pod that uses it." }),
    allowedTopologies: z
      .array(topologyTerm)
      .optional()
      .meta({ proto: 8, ...atomicList }),
  },
  validateUpdate: (before, after) =>
    (["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] as const)
      .filter((field) => !dequal(before[field], after[field]))
      .map((field) => ({
        reason: "FieldValueForbidden",
        field,
        message: `Forbidden: updates to ${field} are forbidden.`,
      })),
  columnsAreAll: true,
  columns: [
    {
      name: "Name",
      type: "string",
      format: "name",
      read: (one) => (isDefaultClass(one) ? `${one.metadata.name} (default)` : one.metadata.name),
    },
    { name: "Provisioner", type: "string", read: (one) => one.provisioner },
    { name: "ReclaimPolicy", type: "string", read: (one) => one.reclaimPolicy },
    { name: "VolumeBindingMode", type: "string", read: (one) => one.volumeBindingMode },
    {
      name: "AllowVolumeExpansion",
      type: "boolean",
      read: (one) => one.allowVolumeExpansion ?? false,
    },
    {
      name: "Age",
      type: "string",
      read: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
    },
  ],
});
export type StorageClass = ObjectOf<typeof storageClass>;
