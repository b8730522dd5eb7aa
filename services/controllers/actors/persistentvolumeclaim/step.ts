import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import type { EventNote, Newborn } from "../../controller.ts";

/** A volume that is to be made. */
export type Made = Newborn & Pick<PersistentVolume, "spec">;

/** What becomes of a claim in one turn. */
export type Step =
  /** It is bound to a volume that is there. */
  | { readonly to: "bind"; readonly volume: PersistentVolume }
  /** A volume is made for it, and it is bound to that. */
  | { readonly to: "make"; readonly volume: Made; readonly by: string }
  /** Nothing can be done now; `note` says why. */
  | {
      readonly to: "wait";
      readonly note?: EventNote;
      /** Whoever makes volumes elsewhere is asked for one. */
      readonly askedOf?: string;
      /** The node that was chosen for it is gone. */
      readonly nodeIsGone?: boolean;
    }
  /** The volume that it was bound to is not its own any more. */
  | { readonly to: "lose"; readonly note: EventNote };
