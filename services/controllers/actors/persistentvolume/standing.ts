/** Whose a volume is. */
import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import { isForGood, provisionedBy, volumeNameOf } from "../../../../libs/model/storage/binding.ts";
import { hostPathProvisioner } from "../../../../libs/model/storage/host-path.ts";
import { type EventNote, warning } from "../../controller.ts";

type Phase = NonNullable<NonNullable<PersistentVolume["status"]>["phase"]>;
export type Standing = {
  readonly phase: Phase;
  readonly message?: string | undefined;
  /** Told when it comes to stand so. */
  readonly note?: EventNote;
  /** It is deleted: its claim is gone, and its policy says so. */
  readonly goes?: boolean;
  /** Its claim took another volume: it is free again. */
  readonly isLetGo?: boolean;
};

/** @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#phase */
export function standingOf(
  self: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): Standing {
  const { claimRef } = self.spec;
  // What is kept for a claim by name alone waits for it.
  if (claimRef === undefined || (claimRef.uid ?? "") === "") return { phase: "Available" };
  if (claim === undefined || !isForGood(self, claim)) return reclaimed(self);
  const volumeName = volumeNameOf(claim);
  if (volumeName === self.metadata.name) return { phase: "Bound" };
  if (volumeName === "") return { phase: self.status?.phase ?? "Available" }; // Its claim is about to take it.
  return isMade(self) && self.spec.persistentVolumeReclaimPolicy === "Delete"
    ? reclaimed(self)
    : { phase: "Available", isLetGo: true };
}

const isMade = ({ metadata }: PersistentVolume) =>
  metadata.annotations?.[provisionedBy] !== undefined;

/** @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming */
function reclaimed({ metadata, spec, status }: PersistentVolume): Standing {
  const by = metadata.annotations?.[provisionedBy];
  switch (spec.persistentVolumeReclaimPolicy) {
    case "Retain":
      return {
        phase: status?.phase === "Failed" ? "Failed" : "Released",
        message: status?.message,
      };
    case "Delete":
      if (by === hostPathProvisioner) return { phase: "Released", goes: true };
      // Whoever made it deletes it.
      if (by !== undefined) return { phase: "Released" };
      return failed(
        "VolumeFailedDelete",
        `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`,
      );
    case "Recycle":
      return failed("VolumeFailedRecycle", "No recycler plugin found for the volume!");
    default:
      return spec.persistentVolumeReclaimPolicy satisfies never;
  }
}

const failed = (reason: string, message: string): Standing => ({
  phase: "Failed",
  message,
  note: warning(reason, message),
});
