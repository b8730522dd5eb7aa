/** Claims to storage and volumes for tests. */
import { parse } from "../../libs/model/errors.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { storageClass } from "../../libs/model/kinds/storageclass.ts";

type Fields = Readonly<Record<string, unknown>>;

export const aStorageClaim = (name: string, spec: Fields = {}, metadata: Fields = {}) =>
  parse(persistentVolumeClaim, {
    metadata: { name, namespace: "default", uid: `uid-${name}`, ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
  });

export const boundTo = (volumeName: string) =>
  [{ volumeName }, { annotations: { "pv.kubernetes.io/bind-completed": "yes" } }] as const;

export const aVolume = (name: string, spec: Fields = {}) =>
  parse(persistentVolume, {
    metadata: { name, uid: `uid-${name}` },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      hostPath: { path: "/disk" },
      ...spec,
    },
    status: { phase: "Available" },
  });

export const aStorageClass = (provisioner: string, fields: Fields = {}) =>
  parse(storageClass, {
    metadata: { name: "local", uid: "uid-local" },
    volumeBindingMode: "WaitForFirstConsumer",
    provisioner,
    ...fields,
  });

export const onHost = (...values: readonly string[]) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] },
      ],
    },
  },
});

/** A pod's volumes that are claims. */
export const using = (...claims: readonly string[]) => ({
  volumes: claims.map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  })),
});
