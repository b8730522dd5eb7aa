/** What asks for storage: a PersistentVolumeClaim, and the templates that a StatefulSet makes some from. */
import * as z from "zod";
import { conditionStatus } from "./condition.ts";
import { atomicList, mergeBy } from "./field.ts";
import { labelSelector } from "./label-selector.ts";
import { templateMetadata } from "./metadata.ts";
import { dnsSubdomain } from "./names.ts";
import { resourceList } from "./quantity.ts";
import { typedLocalObjectReference } from "./references.ts";
import { time } from "./time.ts";

/** How `kubectl get` shows access modes: `RWO,ROX`. */
export const accessText = (modes: readonly AccessMode[] = []): string =>
  modes.map((mode) => shortModes[mode]).join(",");
const shortModes = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
} as const;
type AccessMode = z.output<typeof accessMode>;

export const accessMode = z.enum([
  "ReadWriteOnce",
  "ReadOnlyMany",
  "ReadWriteMany",
  "ReadWriteOncePod",
]);
export const volumeMode = z.enum(["Filesystem", "Block"]);

const isClassName = (name: string) => name === "" || dnsSubdomain.safeParse(name).success;

const dataSourceRef = z
  .strictObject({
    apiGroup: z.string().optional().meta({ proto: 1 }),
    kind: z.string().min(1).meta({ proto: 2 }),
    name: z.string().min(1).meta({ proto: 3 }),
    namespace: z.string().optional().meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.TypedObjectReference" });

const storage = z
  .strictObject({
    limits: resourceList.optional().meta({ proto: 1 }),
    requests: resourceList
      .refine(({ storage }) => storage !== undefined, {
        message: "Required value",
        path: ["storage"],
      })
      .meta({ proto: 2, description: "How much storage: `storage: 1Gi`." }),
  })
  .meta({ title: "core.v1.VolumeResourceRequirements" });

export const claimSpec = z
  .strictObject({
    accessModes: z
      .array(accessMode)
      .min(1, "Required value: at least 1 access mode is required")
      .meta({ proto: 1, ...atomicList, description: "How many nodes may use it, and how." }),
    selector: labelSelector.optional().meta({ proto: 4, description: "Labels of the volume." }),
    resources: storage.meta({ proto: 2 }),
    volumeName: z.string().optional().meta({ proto: 3, description: "The volume it is bound to." }),
    storageClassName: z
      .string()
      .refine(isClassName, "must be a lowercase RFC 1123 subdomain, or empty")
      .optional()
      .meta({ proto: 5, description: "Empty: of no class. Absent: of the default one." }),
    volumeMode: volumeMode.default("Filesystem").meta({ proto: 6 }),
    dataSource: typedLocalObjectReference.optional().meta({ proto: 7 }),
    dataSourceRef: dataSourceRef.optional().meta({ proto: 8 }),
    volumeAttributesClassName: z.string().optional().meta({ proto: 9 }),
  })
  .meta({ title: "core.v1.PersistentVolumeClaimSpec" });

const claimCondition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastProbeTime: time.optional().meta({ proto: 3 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "core.v1.PersistentVolumeClaimCondition" });

export const claimStatus = z
  .strictObject({
    phase: z.enum(["Pending", "Bound", "Lost"]).optional().meta({ proto: 1 }),
    accessModes: z
      .array(accessMode)
      .optional()
      .meta({ proto: 2, ...atomicList }),
    capacity: resourceList.optional().meta({ proto: 3 }),
    conditions: z
      .array(claimCondition)
      .optional()
      .meta({ proto: 4, ...mergeBy("type") }),
    allocatedResources: resourceList.optional().meta({ proto: 5 }),
    allocatedResourceStatuses: z
      .record(z.string(), z.string())
      .optional()
      .meta({ proto: 7, "x-kubernetes-map-type": "granular" }),
    currentVolumeAttributesClassName: z.string().optional().meta({ proto: 8 }),
    modifyVolumeStatus: z
      .strictObject({
        targetVolumeAttributesClassName: z.string().optional().meta({ proto: 1 }),
        status: z.string().meta({ proto: 2 }),
      })
      .meta({ title: "core.v1.ModifyVolumeStatus" })
      .optional()
      .meta({ proto: 9 }),
  })
  .meta({ title: "core.v1.PersistentVolumeClaimStatus" });

/** A claim as a StatefulSet names it; its status says nothing. */
export const claimTemplate = z
  .strictObject({
    apiVersion: z.literal("v1").optional(),
    kind: z.literal("PersistentVolumeClaim").optional(),
    metadata: templateMetadata.meta({ proto: 1 }),
    spec: claimSpec.meta({ proto: 2 }),
    status: claimStatus.optional().meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.PersistentVolumeClaim" });
