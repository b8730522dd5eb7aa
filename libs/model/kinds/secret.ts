import * as z from "zod";
import { immutableDataCauses, tooLarge } from "../config-data.ts";
import { bytes } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { configKey } from "../names.ts";

/** Keys that Secrets of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

const fields = {
  immutable: z
    .boolean()
    .optional()
    .meta({ proto: 5, description: "Once true, neither data nor this may change." }),
  data: z
    .record(configKey, bytes)
    .optional()
    .meta({ proto: 2, description: "Bytes by key, base64." }),
  stringData: z
    .record(configKey, z.string())
    .optional()
    .meta({ proto: 4, description: "Text by key, to write only: it comes before data." }),
  type: z.string().default("Opaque").meta({ proto: 3 }),
};

export const secret = defineKind({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  description: "Confidential data for pods to consume.",
  fields,
  complete: ({ stringData, ...rest }) => {
    if (stringData === undefined) return rest;
    const encoded = Object.entries(stringData).map(
      ([key, text]) => [key, Buffer.from(text).toString("base64")] as const,
    );
    return { ...rest, data: { ...rest.data, ...Object.fromEntries(encoded) } };
  },
  validate: ({ type, data = {} }) => [
    ...(requiredKeys[type] ?? [])
      .filter((key) => data[key] === undefined)
      .map((key) => ({
        reason: "FieldValueRequired",
        field: `data[${key}]`,
        message: "Required value",
      })),
    ...tooLarge(Object.values(data)),
  ],
  validateUpdate: (before, after) => [
    ...immutableDataCauses(before, after, ["data"]),
    ...(before.type === after.type
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "type",
            message: "Invalid value: field is immutable",
          },
        ]),
  ],
  columns: [
    { name: "Type", type: "string", read: ({ type }) => type },
    { name: "Data", type: "string", read: ({ data = {} }) => String(Object.keys(data).length) },
  ],
});
export type Secret = ObjectOf<typeof secret>;
