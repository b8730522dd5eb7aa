import * as z from "zod";
import { atomicList, int64, setList } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { problem } from "../problem.ts";

const tokenRequest = z
  .strictObject({
    audience: z.string().meta({ proto: 1 }),
    expirationSeconds: int64.optional().meta({ proto: 2 }),
  })
  .superRefine(({ expirationSeconds = 600 }, context) => {
    const say = (detail: string) =>
      context.addIssue(
        problem("FieldValueInvalid", ["expirationSeconds"], `${expirationSeconds}: ${detail}`),
      );
    if (expirationSeconds < 600) say("may not specify a duration less than 10 minutes");
    if (expirationSeconds > 2 ** 32) say("may not specify a duration larger than 2^32 seconds");
  })
  .meta({ title: "storage.v1.TokenRequest" });

const modes = z.enum(["Ephemeral", "Persistent"]);

const spec = z
  .strictObject({
    attachRequired: z.boolean().default(true).meta({ proto: 1 }),
    podInfoOnMount: z.boolean().default(false).meta({ proto: 2 }),
    volumeLifecycleModes: z
      .array(modes)
      .optional()
      .meta({ proto: 3, ...setList }),
    storageCapacity: z.boolean().default(false).meta({ proto: 4 }),
    fsGroupPolicy: z
      .enum(["File", "None", "ReadWriteOnceWithFSType"])
      .default("ReadWriteOnceWithFSType")
      .meta({ proto: 5 }),
    tokenRequests: z
      .array(tokenRequest)
      .optional()
      .meta({ proto: 6, ...atomicList }),
    requiresRepublish: z.boolean().default(false).meta({ proto: 7 }),
    seLinuxMount: z.boolean().default(false).meta({ proto: 8 }),
    nodeAllocatableUpdatePeriodSeconds: int64.optional().meta({ proto: 9 }),
    serviceAccountTokenInSecrets: z.boolean().optional().meta({ proto: 10 }),
    preventPodSchedulingIfMissing: z.boolean().optional().meta({ proto: 11 }),
  })
  .superRefine(({ nodeAllocatableUpdatePeriodSeconds: period = 10 }, context) => {
    if (period >= 10) return;
    const detail = `${period}: must be greater than or equal to 10 seconds`;
    context.addIssue(problem("FieldValueInvalid", ["nodeAllocatableUpdatePeriodSeconds"], detail));
  })
  .overwrite((one) => ({
    ...one,
    volumeLifecycleModes: one.volumeLifecycleModes ?? ["Persistent" as const],
  }))
  .meta({ title: "storage.v1.CSIDriverSpec" });

export const csiDriver = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  namespaced: false,
  description: "What a storage driver can do and needs.",
  spec,
  validateUpdate: ({ spec: before }, { spec: after }) =>
    before.attachRequired === after.attachRequired
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "spec.attachRequired",
            message: `Invalid value: ${after.attachRequired}: field is immutable`,
          },
        ],
  columns: [
    { name: "AttachRequired", type: "boolean", read: ({ spec }) => spec.attachRequired },
    { name: "PodInfoOnMount", type: "boolean", read: ({ spec }) => spec.podInfoOnMount },
    { name: "StorageCapacity", type: "boolean", read: ({ spec }) => spec.storageCapacity },
    {
      name: "TokenRequests",
      type: "string",
      read: ({ spec: { tokenRequests } }) =>
        tokenRequests === undefined
          ? "<unset>"
          : tokenRequests.map(({ audience }) => audience).join(","),
    },
    { name: "RequiresRepublish", type: "boolean", read: ({ spec }) => spec.requiresRepublish },
    {
      name: "Modes",
      type: "string",
      read: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(","),
    },
  ],
});
export type CsiDriver = ObjectOf<typeof csiDriver>;
