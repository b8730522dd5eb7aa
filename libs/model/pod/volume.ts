import * as z from "zod";
import { atomicList, int32, int64, stringMap } from "../field.ts";
import { labelSelector } from "../label-selector.ts";
import { templateMetadata } from "../metadata.ts";
import { dnsLabel } from "../names.ts";
import { problem } from "../problem.ts";
import { quantity } from "../quantity.ts";
import { localObjectReference } from "../references.ts";
import { sourceFields, vendorSources } from "../storage/vendor-sources.ts";
import { claimSpec } from "../volume-claim.ts";
import { isWithin, pullPolicy } from "./container.ts";
import { hostPathTypes } from "./host-path-type.ts";
import { objectFieldSelector, resourceFieldSelector } from "./env.ts";

const mode = int32.min(0).max(0o777);
/** Of files that are made from keys: readable by all, writable by the owner. */
const defaultMode = mode.default(0o644);
const path = z.string().min(1).refine(isWithin, "must be a relative path without '..'");

const keyToPath = z
  .strictObject({
    key: z.string().min(1).meta({ proto: 1 }),
    path: path.meta({ proto: 2 }),
    mode: mode.optional().meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.KeyToPath" });

/** The keys of a ConfigMap or a Secret that become files; all of them when none is named. */
const keyFiles = {
  items: z
    .array(keyToPath)
    .optional()
    .meta({ proto: 2, ...atomicList }),
  optional: z.boolean().optional().meta({ proto: 4 }),
};
/** It lies in an inlined reference. */
const inlinedName = z
  .string()
  .default("")
  .meta({ proto: [1, 1] });

const downwardFile = z
  .strictObject({
    path: path.meta({ proto: 1 }),
    fieldRef: objectFieldSelector.optional().meta({ proto: 2 }),
    resourceFieldRef: resourceFieldSelector.optional().meta({ proto: 3 }),
    mode: mode.optional().meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.DownwardAPIVolumeFile" });
const downwardFiles = {
  items: z
    .array(downwardFile)
    .optional()
    .meta({ proto: 1, ...atomicList }),
};

/** A ConfigMap or a Secret as a part of a projected volume. */
const projection = (title: string) =>
  z.strictObject({ name: inlinedName, ...keyFiles }).meta({ title });

const volumeProjection = z
  .strictObject({
    secret: projection("core.v1.SecretProjection").optional().meta({ proto: 1 }),
    downwardAPI: z
      .strictObject(downwardFiles)
      .meta({ title: "core.v1.DownwardAPIProjection" })
      .optional()
      .meta({ proto: 2 }),
    configMap: projection("core.v1.ConfigMapProjection").optional().meta({ proto: 3 }),
    clusterTrustBundle: z
      .strictObject({
        name: z.string().optional().meta({ proto: 1 }),
        signerName: z.string().optional().meta({ proto: 2 }),
        labelSelector: labelSelector.optional().meta({ proto: 3 }),
        optional: z.boolean().optional().meta({ proto: 5 }),
        path: path.meta({ proto: 4 }),
      })
      .meta({ title: "core.v1.ClusterTrustBundleProjection" })
      .optional()
      .meta({ proto: 5 }),
    podCertificate: z
      .strictObject({
        signerName: z.string().meta({ proto: 1 }),
        keyType: z.string().meta({ proto: 2 }),
        maxExpirationSeconds: int32.optional().meta({ proto: 3 }),
        credentialBundlePath: path.optional().meta({ proto: 4 }),
        keyPath: path.optional().meta({ proto: 5 }),
        certificateChainPath: path.optional().meta({ proto: 6 }),
        userAnnotations: stringMap.optional().meta({ proto: 7 }),
      })
      .meta({ title: "core.v1.PodCertificateProjection" })
      .optional()
      .meta({ proto: 6 }),
    serviceAccountToken: z
      .strictObject({
        audience: z.string().optional().meta({ proto: 1 }),
        expirationSeconds: int64.min(600).default(3_600).meta({ proto: 2 }),
        path: path.meta({ proto: 3 }),
      })
      .meta({ title: "core.v1.ServiceAccountTokenProjection" })
      .optional()
      .meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.VolumeProjection" });

/** A file or folder of the node. */
export const hostPathSource = z
  .strictObject({
    path: z.string().min(1).meta({ proto: 1 }),
    type: z.enum(hostPathTypes).default("").meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.HostPathVolumeSource" });

export const nfsSource = z
  .strictObject({
    server: z.string().min(1).meta({ proto: 1 }),
    path: z.string().min(1).meta({ proto: 2 }),
    readOnly: z.boolean().optional().meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.NFSVolumeSource" });

const sources = {
  hostPath: hostPathSource
    .optional()
    .meta({ proto: [2, 1], description: "A file or folder of the node." }),
  emptyDir: z
    .strictObject({
      medium: z.string().optional().meta({ proto: 1, description: "Memory, or the node's disk." }),
      sizeLimit: quantity.optional().meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.EmptyDirVolumeSource" })
    .optional()
    .meta({ proto: [2, 2], description: "Empty at first, gone with the pod." }),
  secret: z
    .strictObject({
      secretName: z.string().min(1).meta({ proto: 1 }),
      ...keyFiles,
      defaultMode: defaultMode.meta({ proto: 3 }),
    })
    .meta({ title: "core.v1.SecretVolumeSource" })
    .optional()
    .meta({ proto: [2, 6] }),
  nfs: nfsSource.optional().meta({ proto: [2, 7] }),
  persistentVolumeClaim: z
    .strictObject({
      claimName: z.string().min(1).meta({ proto: 1 }),
      readOnly: z.boolean().optional().meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.PersistentVolumeClaimVolumeSource" })
    .optional()
    .meta({ proto: [2, 10] }),
  downwardAPI: z
    .strictObject({
      ...downwardFiles,
      defaultMode: defaultMode.meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.DownwardAPIVolumeSource" })
    .optional()
    .meta({ proto: [2, 16] }),
  configMap: z
    .strictObject({
      name: inlinedName,
      ...keyFiles,
      defaultMode: defaultMode.meta({ proto: 3 }),
    })
    .meta({ title: "core.v1.ConfigMapVolumeSource" })
    .optional()
    .meta({ proto: [2, 19] }),
  projected: z
    .strictObject({
      sources: z
        .array(volumeProjection)
        .optional()
        .meta({ proto: 1, ...atomicList }),
      defaultMode: defaultMode.meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.ProjectedVolumeSource" })
    .optional()
    .meta({ proto: [2, 26] }),
  csi: z
    .strictObject({
      driver: z.string().min(1).meta({ proto: 1 }),
      readOnly: z.boolean().optional().meta({ proto: 2 }),
      fsType: z.string().optional().meta({ proto: 3 }),
      volumeAttributes: stringMap.optional().meta({ proto: 4 }),
      nodePublishSecretRef: localObjectReference.optional().meta({ proto: 5 }),
    })
    .meta({ title: "core.v1.CSIVolumeSource" })
    .optional()
    .meta({ proto: [2, 28] }),
  image: z
    .strictObject({
      reference: z.string().optional().meta({ proto: 1 }),
      pullPolicy: pullPolicy.optional().meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.ImageVolumeSource" })
    .optional()
    .meta({ proto: [2, 30] }),
  ephemeral: z
    .strictObject({
      volumeClaimTemplate: z
        .strictObject({
          metadata: templateMetadata.optional().meta({ proto: 1 }),
          spec: claimSpec.meta({ proto: 2 }),
        })
        .meta({ title: "core.v1.PersistentVolumeClaimTemplate" })
        .optional()
        .meta({ proto: 1 }),
    })
    .meta({ title: "core.v1.EphemeralVolumeSource" })
    .optional()
    .meta({ proto: [2, 29], description: "A claim that is made with the pod and goes with it." }),
  gitRepo: z
    .strictObject({
      repository: z.string().meta({ proto: 1 }),
      revision: z.string().optional().meta({ proto: 2 }),
      directory: z.string().optional().meta({ proto: 3 }),
    })
    .meta({ title: "core.v1.GitRepoVolumeSource" })
    .optional()
    .meta({ proto: [2, 5] }),
  ...sourceFields(
    vendorSources({
      of: "Volume",
      secret: localObjectReference,
      storageosSecret: localObjectReference,
    }),
    {
      gcePersistentDisk: 3,
      awsElasticBlockStore: 4,
      iscsi: 8,
      glusterfs: 9,
      rbd: 11,
      flexVolume: 12,
      cinder: 13,
      cephfs: 14,
      flocker: 15,
      fc: 17,
      azureFile: 18,
      vsphereVolume: 20,
      quobyte: 21,
      azureDisk: 22,
      photonPersistentDisk: 23,
      portworxVolume: 24,
      scaleIO: 25,
      storageos: 27,
    },
  ),
};

export const volume = z
  .strictObject({ name: dnsLabel.meta({ proto: 1 }), ...sources })
  .superRefine((one, context) => {
    const [, ...more] = sourcesOf(one);
    for (const name of more) {
      const detail = "may not specify more than 1 volume type";
      context.addIssue(problem("FieldValueForbidden", [name], detail));
    }
  })
  .overwrite((one) => (sourcesOf(one).length === 0 ? { ...one, emptyDir: {} } : one))
  .meta({ title: "core.v1.Volume" });

const sourcesOf = (one: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.keys(sources).filter((name) => one[name] !== undefined);
