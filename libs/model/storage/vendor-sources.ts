/**
 * Sources of volumes that no node of ours can serve. Manifests may hold them: they are stored as they
 * are, and a pod that mounts one waits, as on a node of Kubernetes without that storage.
 */
import * as z from "zod";
import { atomicList, int32, stringMap } from "../field.ts";

const text = (proto: number) => z.string().optional().meta({ proto });
const needed = (proto: number) => z.string().meta({ proto });
const flag = (proto: number) => z.boolean().optional().meta({ proto });
const texts = (proto: number) =>
  z
    .array(z.string())
    .optional()
    .meta({ proto, ...atomicList });
const monitors = z.array(z.string()).meta({ proto: 1, ...atomicList });

/** Those that pods and PersistentVolumes name in the same way. */
const alike = {
  awsElasticBlockStore: z
    .strictObject({
      volumeID: needed(1),
      fsType: text(2),
      partition: int32.optional().meta({ proto: 3 }),
      readOnly: flag(4),
    })
    .meta({ title: "core.v1.AWSElasticBlockStoreVolumeSource" }),
  azureDisk: z
    .strictObject({
      diskName: needed(1),
      diskURI: needed(2),
      cachingMode: z.string().default("ReadWrite").meta({ proto: 3 }),
      fsType: z.string().default("ext4").meta({ proto: 4 }),
      readOnly: z.boolean().default(false).meta({ proto: 5 }),
      kind: z.string().default("Shared").meta({ proto: 6 }),
    })
    .meta({ title: "core.v1.AzureDiskVolumeSource" }),
  fc: z
    .strictObject({
      targetWWNs: texts(1),
      lun: int32.optional().meta({ proto: 2 }),
      fsType: text(3),
      readOnly: flag(4),
      wwids: texts(5),
    })
    .meta({ title: "core.v1.FCVolumeSource" }),
  flocker: z
    .strictObject({ datasetName: text(1), datasetUUID: text(2) })
    .meta({ title: "core.v1.FlockerVolumeSource" }),
  gcePersistentDisk: z
    .strictObject({
      pdName: needed(1),
      fsType: text(2),
      partition: int32.optional().meta({ proto: 3 }),
      readOnly: flag(4),
    })
    .meta({ title: "core.v1.GCEPersistentDiskVolumeSource" }),
  photonPersistentDisk: z
    .strictObject({ pdID: needed(1), fsType: text(2) })
    .meta({ title: "core.v1.PhotonPersistentDiskVolumeSource" }),
  portworxVolume: z
    .strictObject({ volumeID: needed(1), fsType: text(2), readOnly: flag(3) })
    .meta({ title: "core.v1.PortworxVolumeSource" }),
  quobyte: z
    .strictObject({
      registry: needed(1),
      volume: needed(2),
      readOnly: flag(3),
      user: text(4),
      group: text(5),
      tenant: text(6),
    })
    .meta({ title: "core.v1.QuobyteVolumeSource" }),
  vsphereVolume: z
    .strictObject({
      volumePath: needed(1),
      fsType: text(2),
      storagePolicyName: text(3),
      storagePolicyID: text(4),
    })
    .meta({ title: "core.v1.VsphereVirtualDiskVolumeSource" }),
};

/** A Secret of the pod's namespace, or of one that the PersistentVolume names. */
type Options<S extends z.ZodType> = {
  readonly of: "Volume" | "PersistentVolume";
  readonly secret: S;
  /** StorageOS names its Secret in a way of its own. */
  readonly storageosSecret: z.ZodType;
};

export function vendorSources<S extends z.ZodType>({ of, secret, storageosSecret }: Options<S>) {
  const title = (name: string) => ({ title: `core.v1.${name}${of}Source` });
  const isPersistent = of === "PersistentVolume";
  const secretRef = (proto: number) => secret.optional().meta({ proto });
  return {
    ...alike,
    azureFile: z
      .strictObject({
        secretName: needed(1),
        shareName: needed(2),
        readOnly: flag(3),
        ...(isPersistent && { secretNamespace: text(4) }),
      })
      .meta(title("AzureFile")),
    cephfs: z
      .strictObject({
        monitors,
        path: text(2),
        user: text(3),
        secretFile: text(4),
        secretRef: secretRef(5),
        readOnly: flag(6),
      })
      .meta(title("CephFS")),
    cinder: z
      .strictObject({
        volumeID: needed(1),
        fsType: text(2),
        readOnly: flag(3),
        secretRef: secretRef(4),
      })
      .meta(title("Cinder")),
    flexVolume: z
      .strictObject({
        driver: needed(1),
        fsType: text(2),
        secretRef: secretRef(3),
        readOnly: flag(4),
        options: stringMap.optional().meta({ proto: 5 }),
      })
      .meta(title("Flex")),
    glusterfs: z
      .strictObject({
        endpoints: needed(1),
        path: needed(2),
        readOnly: flag(3),
        ...(isPersistent && { endpointsNamespace: text(4) }),
      })
      .meta(title("Glusterfs")),
    iscsi: z
      .strictObject({
        targetPortal: needed(1),
        iqn: needed(2),
        lun: int32.meta({ proto: 3 }),
        iscsiInterface: z.string().default("default").meta({ proto: 4 }),
        fsType: text(5),
        readOnly: flag(6),
        portals: texts(7),
        chapAuthDiscovery: flag(8),
        chapAuthSession: flag(11),
        secretRef: secretRef(10),
        initiatorName: text(12),
      })
      .meta(title("ISCSI")),
    rbd: z
      .strictObject({
        monitors,
        image: needed(2),
        fsType: text(3),
        pool: z.string().default("rbd").meta({ proto: 4 }),
        user: z.string().default("admin").meta({ proto: 5 }),
        keyring: z.string().default("/etc/ceph/keyring").meta({ proto: 6 }),
        secretRef: secretRef(7),
        readOnly: flag(8),
      })
      .meta(title("RBD")),
    scaleIO: z
      .strictObject({
        gateway: needed(1),
        system: needed(2),
        secretRef: secret.meta({ proto: 3 }),
        sslEnabled: flag(4),
        protectionDomain: text(5),
        storagePool: text(6),
        storageMode: z.string().default("ThinProvisioned").meta({ proto: 7 }),
        volumeName: text(8),
        fsType: z.string().default("xfs").meta({ proto: 9 }),
        readOnly: flag(10),
      })
      .meta(title("ScaleIO")),
    storageos: z
      .strictObject({
        volumeName: text(1),
        volumeNamespace: text(2),
        fsType: text(3),
        readOnly: flag(4),
        secretRef: storageosSecret.optional().meta({ proto: 5 }),
      })
      .meta(title("StorageOS")),
  };
}

type Sources = ReturnType<typeof vendorSources>;
export type VendorSource = keyof Sources;

/** The sources as optional fields, each at its number in the message that holds one of them. */
export function sourceFields<F extends Readonly<Record<string, z.ZodType>>>(
  sources: F,
  numbers: { readonly [K in keyof F]: number },
): { [K in keyof F]: z.ZodOptional<F[K]> } {
  const fields = Object.entries(sources).map(([name, source]) => [
    name,
    source.optional().meta({ proto: [2, numbers[name] ?? 0] }),
  ]);
  return Object.fromEntries(fields) as { [K in keyof F]: z.ZodOptional<F[K]> }; // One for one.
}
