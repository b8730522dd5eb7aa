/** The volume that is made for a claim: a directory on a node. */
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import type { StorageClass } from "../../../../libs/model/kinds/storageclass.ts";
import {
  boundByController,
  claimRefOf,
  provisionedBy,
  volumeProtection,
} from "../../../../libs/model/storage/binding.ts";
import {
  directoriesFolder,
  directoryFinalizer,
  directoryNode,
  madeVolumeName,
} from "../../../../libs/model/storage/host-path.ts";
import { requestOf } from "../../../../libs/model/storage/match.ts";
import type { Made } from "./step.ts";

const hostLabel = "kubernetes.io/hostname";

/** Its name follows from the claim's uid (O1); its directory is made by the node's agent. */
export function hostVolume(
  claim: PersistentVolumeClaim,
  { metadata: of, provisioner, reclaimPolicy, mountOptions }: StorageClass,
  { metadata: home }: Node,
  clusterId: string,
): Made {
  const name = madeVolumeName(claim);
  const folder = home.annotations?.[directoriesFolder] ?? `/var/lib/berth/volumes/${clusterId}`;
  const metadata = {
    name,
    annotations: {
      [provisionedBy]: provisioner,
      [boundByController]: "yes",
      [directoryNode]: home.name,
    },
    finalizers: [volumeProtection, directoryFinalizer],
  };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata,
    spec: {
      capacity: { storage: requestOf(claim) },
      accessModes: claim.spec.accessModes,
      volumeMode: claim.spec.volumeMode,
      storageClassName: of.name,
      persistentVolumeReclaimPolicy: reclaimPolicy,
      ...(mountOptions !== undefined && { mountOptions }),
      hostPath: { path: `${folder}/${name}`, type: "DirectoryOrCreate" },
      nodeAffinity: { required: { nodeSelectorTerms: [only(home)] } },
      claimRef: claimRefOf(claim),
    },
  };
}

/** By its host name, as Kubernetes' local volumes; a node that says none is meant by its own. */
function only({ name, labels }: Node["metadata"]) {
  const host = labels?.[hostLabel];
  const operator = "In" as const;
  return host === undefined
    ? { matchFields: [{ key: "metadata.name", operator, values: [name] }] }
    : { matchExpressions: [{ key: hostLabel, operator, values: [host] }] };
}
