import * as z from "zod";
import { mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { localObjectReference, objectReference } from "../references.ts";

export const serviceAccount = defineKind({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  short: ["sa"],
  namespaced: true,
  description: "Who the processes of a pod are, for the API.",
  fields: {
    secrets: z
      .array(objectReference)
      .optional()
      .meta({ proto: 2, ...mergeBy("name") }),
    imagePullSecrets: z
      .array(localObjectReference)
      .optional()
      .meta({ proto: 3, "x-kubernetes-list-type": "atomic" }),
    automountServiceAccountToken: z.boolean().optional().meta({ proto: 4 }),
  },
  columns: [
    { name: "Secrets", type: "string", read: ({ secrets = [] }) => String(secrets.length) },
  ],
});
export type ServiceAccount = ObjectOf<typeof serviceAccount>;
