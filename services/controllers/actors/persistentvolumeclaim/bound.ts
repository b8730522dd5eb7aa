/** A claim that was bound once: its volume is still there and its own, or it is lost. */
import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import { isForGood, volumeNameOf } from "../../../../libs/model/storage/binding.ts";
import { warning } from "../../controller.ts";
import type { Step } from "./step.ts";

const lost = (reason: string, message: string): Step => ({
  to: "lose",
  note: warning(reason, message),
});

/** Both sides were written together, so at one cut the absence of a side is evidence (S5). */
export function keepBound(self: PersistentVolumeClaim, volume: PersistentVolume | undefined): Step {
  if (volumeNameOf(self) === "")
    return lost(
      "ClaimLost",
      "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    );
  if (volume === undefined)
    return lost(
      "ClaimLost",
      "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    );
  if (volume.spec.claimRef === undefined || isForGood(volume, self)) return { to: "bind", volume };
  return lost(
    "ClaimMisbound",
    "Two claims are bound to the same volume, this one is bound incorrectly",
  );
}
