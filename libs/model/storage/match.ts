/** Which volume a claim is bound to. */
import type { PersistentVolume } from "../kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/persistentvolumeclaim.ts";
import { matchesSelector } from "../label-selector.ts";
import { matchesNodeTerm, type Place } from "../pod/placement.ts";
import { compareQuantities } from "../quantity.ts";
import { isFor } from "./binding.ts";

type Classed = { readonly spec: { readonly storageClassName?: string | undefined } };
/** Empty: of no class. */
export const classNameOf = ({ spec }: Classed): string => spec.storageClassName ?? "";

/** How much storage a volume holds, or a claim asks for. */
const capacityOf = ({ spec }: PersistentVolume) => spec.capacity["storage"] ?? "0";
export const requestOf = ({ spec }: PersistentVolumeClaim): string =>
  spec.resources.requests["storage"] ?? "0";

/** Whether pods on a node reach the volume. */
export function reaches({ spec }: PersistentVolume, place: Place): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesNodeTerm(term, place));
}

const isLarge = (volume: PersistentVolume, claim: PersistentVolumeClaim) =>
  compareQuantities(capacityOf(volume), requestOf(claim)) >= 0;
const hasModes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim) =>
  claim.spec.accessModes.every((mode) => spec.accessModes.includes(mode));

/** Why a claim cannot be bound to the volume that it names, in Kubernetes' words. */
export function mismatchOf(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): string | undefined {
  if (!isLarge(volume, claim)) return "requested PV is too small";
  if (classNameOf(volume) !== classNameOf(claim)) return "storageClassName does not match";
  if (volume.spec.volumeMode !== claim.spec.volumeMode) return "incompatible volumeMode";
  return hasModes(volume, claim) ? undefined : "incompatible accessMode";
}

/** It belongs to nobody, and nobody keeps it for anyone. */
const isFree = ({ spec, status }: PersistentVolume) =>
  spec.claimRef === undefined && status?.phase === "Available";

/**
 * The volume for a claim that names none: one that is kept for it; or of the free ones that suit it
 * the one with the fewest access modes, then the smallest, then the first by name.
 *
 * @param place where a pod will use it; absent: anywhere
 * @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  place?: Place,
): PersistentVolume | undefined {
  const usable = volumes
    .filter(
      (volume) =>
        volume.metadata.deletionTimestamp === undefined &&
        volume.spec.volumeMode === claim.spec.volumeMode &&
        isLarge(volume, claim) &&
        hasModes(volume, claim) &&
        (place === undefined || reaches(volume, place)),
    )
    .toSorted(closestFirst);
  return (
    usable.find((volume) => isFor(volume, claim)) ?? usable.find((volume) => suits(volume, claim))
  );
}

const suits = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  isFree(volume) &&
  classNameOf(volume) === classNameOf(claim) &&
  (claim.spec.selector === undefined ||
    matchesSelector(claim.spec.selector, volume.metadata.labels));

const closestFirst = (a: PersistentVolume, b: PersistentVolume): number =>
  a.spec.accessModes.length - b.spec.accessModes.length ||
  compareQuantities(capacityOf(a), capacityOf(b)) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);
