/** Volumes that Berth makes itself: directories on a node. */
import type { PersistentVolume } from "../kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/persistentvolumeclaim.ts";
import { volumeProtection } from "./binding.ts";

export const hostPathProvisioner = "berth.dev/host-path";
/** On a volume: the Node that its directory is on. */
export const directoryNode = "berth.dev/directory-node";
/** On a Node: where its agent keeps such directories. */
export const directoriesFolder = "berth.dev/volumes-folder";
/** Holds a volume until its directory is gone. */
export const directoryFinalizer = "berth.dev/volume-directory";

/** As Kubernetes names what is made for a claim: made twice, it is one (O1). */
export const madeVolumeName = ({ metadata }: PersistentVolumeClaim): string =>
  `pvc-${metadata.uid}`;

const modes: readonly string[] = ["ReadWriteOnce", "ReadWriteOncePod"];

/** Why no directory can serve the claim; undefined: one can. */
export function whyNoDirectory({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.volumeMode === "Block") return "a directory is no block device";
  if (spec.selector !== undefined) return "claim.spec.selector is not supported";
  if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined)
    return "claim.spec.dataSource is not supported";
  return spec.accessModes.every((mode) => modes.includes(mode))
    ? undefined
    : `a directory of one node supports only ${modes.join(" and ")}`;
}

/**
 * The node whose agent is to remove the volume's directory: nobody uses it, and it is not to be
 * retained. Undefined: nothing is to be removed.
 */
export function directoryGoesFrom({ metadata, spec }: PersistentVolume): string | undefined {
  const { deletionTimestamp, finalizers = [], annotations } = metadata;
  if (deletionTimestamp === undefined || finalizers.includes(volumeProtection)) return undefined;
  if (!finalizers.includes(directoryFinalizer)) return undefined;
  return spec.persistentVolumeReclaimPolicy === "Delete" ? annotations?.[directoryNode] : undefined;
}
