import { dequal } from "dequal";
import * as z from "zod";
import { stringMap } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";

export const volumeAttributesClass = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  short: ["vac"],
  namespaced: false,
  description: "Attributes of volumes that can be changed, such as their speed.",
  fields: {
    driverName: z.string().min(1, "Required value").meta({ proto: 2 }),
    parameters: stringMap.optional().meta({ proto: 3 }),
  },
  validate: ({ parameters = {} }) =>
    Object.keys(parameters).length > 0
      ? []
      : [
          {
            reason: "FieldValueRequired",
            field: "parameters",
            message: "Required value: must contain at least one key/value pair",
          },
        ],
  validateUpdate: (before, after) =>
    (["driverName", "parameters"] as const)
      .filter((field) => !dequal(before[field], after[field]))
      .map((field) => ({
        reason: "FieldValueForbidden",
        field,
        message: `Forbidden: updates to ${field} are forbidden.`,
      })),
  columns: [{ name: "DriverName", type: "string", read: ({ driverName }) => driverName }],
});
export type VolumeAttributesClass = ObjectOf<typeof volumeAttributesClass>;
