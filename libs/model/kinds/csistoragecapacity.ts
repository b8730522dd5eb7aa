import * as z from "zod";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { quantity } from "../quantity.ts";

export const csiStorageCapacity = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  namespaced: true,
  description: "How much storage of a class is left where some nodes reach it.",
  fields: {
    nodeTopology: labelSelector
      .optional()
      .meta({ proto: 2, description: "The nodes; empty: all, absent: none." }),
    storageClassName: z.string().min(1, "Required value").meta({ proto: 3 }),
    capacity: quantity.optional().meta({ proto: 4 }),
    maximumVolumeSize: quantity.optional().meta({ proto: 5 }),
  },
  validateUpdate: (before, after) =>
    before.storageClassName === after.storageClassName
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "storageClassName",
            message: `Invalid value: ${JSON.stringify(after.storageClassName)}: field is immutable`,
          },
        ],
  columnsAreAll: true,
  columns: [
    { name: "Name", type: "string", format: "name", read: ({ metadata }) => metadata.name },
    { name: "StorageClassName", type: "string", read: (one) => one.storageClassName },
    { name: "Capacity", type: "string", read: ({ capacity = "<unset>" }) => String(capacity) },
  ],
});
export type CsiStorageCapacity = ObjectOf<typeof csiStorageCapacity>;
