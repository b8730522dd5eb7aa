/** How a claim and a volume say that they belong together, in the marks that Kubernetes uses. */
import type { PersistentVolume } from "../kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/persistentvolumeclaim.ts";

/** On a claim: both sides of its binding are written. */
export const bindCompleted = "pv.kubernetes.io/bind-completed";
/** On either: the cluster chose the other, no user did. */
export const boundByController = "pv.kubernetes.io/bound-by-controller";
/** On a volume: who made it. */
export const provisionedBy = "pv.kubernetes.io/provisioned-by";
/** On a claim: where the pod that it waited for will run; written as the pod is bound. */
export const selectedNode = "volume.kubernetes.io/selected-node";
/** On a claim: who is asked to make its volume. */
export const storageProvisioner = "volume.kubernetes.io/storage-provisioner";

/** Holds a claim while a pod uses it, and a volume while a claim is bound to it. */
export const claimProtection = "kubernetes.io/pvc-protection";
export const volumeProtection = "kubernetes.io/pv-protection";

type ClaimRef = NonNullable<PersistentVolume["spec"]["claimRef"]>;

export const volumeNameOf = ({ spec }: PersistentVolumeClaim): string => spec.volumeName ?? "";

/** Both sides of its binding were written, whatever became of the volume since. */
export const isBound = (claim: PersistentVolumeClaim): boolean =>
  claim.metadata.annotations?.[bindCompleted] !== undefined;

/** The volume is kept for the claim: by name, or for good by its uid. */
export function isFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec;
  if (claimRef === undefined) return false;
  const { namespace, name, uid = "" } = claimRef;
  if (namespace !== metadata.namespace || name !== metadata.name) return false;
  return uid === "" || uid === metadata.uid;
}

export const isForGood = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  isFor(volume, claim) && volume.spec.claimRef?.uid === claim.metadata.uid;

/** The volume as it is kept for the claim for good; the same when it is already. */
export function keptFor(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  if (isForGood(volume, claim)) return volume;
  const { metadata, spec } = volume;
  // Who kept it for the claim by name gets it back when the claim lets it go.
  const byUser = isFor(volume, claim);
  const annotations = { ...metadata.annotations, ...(!byUser && { [boundByController]: "yes" }) };
  const marked = Object.keys(annotations).length > 0 && { annotations };
  return {
    ...volume,
    metadata: { ...metadata, ...marked },
    spec: { ...spec, claimRef: claimRefOf(claim) },
  };
}

export const claimRefOf = ({ metadata }: PersistentVolumeClaim): ClaimRef => ({
  kind: "PersistentVolumeClaim",
  apiVersion: "v1",
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
  resourceVersion: metadata.resourceVersion,
});
