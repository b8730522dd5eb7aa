import * as z from "zod";
import { bytes } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { immutableDataCauses, sharedKeys, tooLarge } from "../config-data.ts";
import { configKey } from "../names.ts";

export const configMap = defineKind({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  short: ["cm"],
  namespaced: true,
  description: "Configuration for pods to consume.",
  fields: {
    immutable: z
      .boolean()
      .optional()
      .meta({ proto: 4, description: "Once true, neither data nor this may change." }),
    data: z
      .record(configKey, z.string())
      .optional()
      .meta({ proto: 2, description: "Text by key." }),
    binaryData: z
      .record(configKey, bytes)
      .optional()
      .meta({ proto: 3, description: "Bytes by key, base64." }),
  },
  validate: ({ data = {}, binaryData = {} }) => [
    ...sharedKeys(data, binaryData, "data"),
    ...tooLarge([...Object.values(data), ...Object.values(binaryData)]),
  ],
  validateUpdate: (before, after) => immutableDataCauses(before, after, ["data", "binaryData"]),
  columns: [
    {
      name: "Data",
      type: "string",
      read: ({ data = {}, binaryData = {} }) =>
        String(Object.keys(data).length + Object.keys(binaryData).length),
    },
  ],
});
export type ConfigMap = ObjectOf<typeof configMap>;
