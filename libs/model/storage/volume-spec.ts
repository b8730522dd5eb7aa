import * as z from "zod";
import { atomicList, stringMap } from "../field.ts";
import { nodeSelector } from "../pod/scheduling.ts";
import { hostPathSource, nfsSource } from "../pod/volume.ts";
import { requireOneOf } from "../problem.ts";
import { resourceList } from "../quantity.ts";
import { objectReference, secretReference } from "../references.ts";
import { accessMode, volumeMode } from "../volume-claim.ts";
import { sourceFields, type VendorSource, vendorSources } from "./vendor-sources.ts";

const local = z
  .strictObject({
    path: z.string().min(1).meta({ proto: 1 }),
    fsType: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.LocalVolumeSource" });
const csi = z
  .strictObject({
    driver: z.string().min(1).meta({ proto: 1 }),
    volumeHandle: z.string().min(1).meta({ proto: 2 }),
    readOnly: z.boolean().optional().meta({ proto: 3 }),
    fsType: z.string().optional().meta({ proto: 4 }),
    volumeAttributes: stringMap.optional().meta({ proto: 5 }),
    controllerPublishSecretRef: secretReference.optional().meta({ proto: 6 }),
    nodeStageSecretRef: secretReference.optional().meta({ proto: 7 }),
    nodePublishSecretRef: secretReference.optional().meta({ proto: 8 }),
    controllerExpandSecretRef: secretReference.optional().meta({ proto: 9 }),
    nodeExpandSecretRef: secretReference.optional().meta({ proto: 10 }),
  })
  .meta({ title: "core.v1.CSIPersistentVolumeSource" });

const vendors = sourceFields(
  vendorSources({
    of: "PersistentVolume",
    secret: secretReference,
    storageosSecret: objectReference,
  }),
  {
    gcePersistentDisk: 1,
    awsElasticBlockStore: 2,
    glusterfs: 4,
    rbd: 6,
    iscsi: 7,
    cinder: 8,
    cephfs: 9,
    fc: 10,
    flocker: 11,
    flexVolume: 12,
    azureFile: 13,
    vsphereVolume: 14,
    quobyte: 15,
    azureDisk: 16,
    photonPersistentDisk: 17,
    portworxVolume: 18,
    scaleIO: 19,
    storageos: 21,
  },
);

export const volumeSources = [
  "hostPath",
  "nfs",
  "local",
  "csi",
  ...(Object.keys(vendors) as VendorSource[]), // They are its fields.
] as const;

export const persistentVolumeSpec = z
  .strictObject({
    capacity: resourceList.meta({ proto: 1, description: "How much it holds: `storage: 1Gi`." }),
    hostPath: hostPathSource.optional().meta({ proto: [2, 3] }),
    nfs: nfsSource.optional().meta({ proto: [2, 5] }),
    local: local
      .optional()
      .meta({ proto: [2, 20], description: "A folder of the node that `nodeAffinity` names." }),
    csi: csi.optional().meta({ proto: [2, 22] }),
    ...vendors,
    accessModes: z
      .array(accessMode)
      .min(1, "Required value: at least 1 access mode is required")
      .meta({ proto: 3, ...atomicList }),
    claimRef: objectReference
      .optional()
      .meta({ proto: 4, "x-kubernetes-map-type": "granular", description: "Whose it is." }),
    persistentVolumeReclaimPolicy: z
      .enum(["Retain", "Delete", "Recycle"])
      .default("Retain")
      .meta({ proto: 5, description: "What becomes of it when its claim is gone." }),
    storageClassName: z.string().optional().meta({ proto: 6 }),
    mountOptions: z
      .array(z.string())
      .optional()
      .meta({ proto: 7, ...atomicList }),
    volumeMode: volumeMode.default("Filesystem").meta({ proto: 8 }),
    nodeAffinity: z
      .strictObject({ required: nodeSelector.optional().meta({ proto: 1 }) })
      .meta({ title: "core.v1.VolumeNodeAffinity" })
      .optional()
      .meta({ proto: 9, description: "The nodes that reach it." }),
    volumeAttributesClassName: z.string().optional().meta({ proto: 10 }),
  })
  .superRefine((one, context) => requireOneOf(context, one, volumeSources, "a volume type"))
  .meta({ title: "core.v1.PersistentVolumeSpec" });
