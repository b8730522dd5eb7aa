import { dequal } from "dequal";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { claimProtection, isBound } from "../../../libs/model/storage/binding.ts";
import { controller, type Decision, update } from "../controller.ts";
import { bind } from "./persistentvolumeclaim/bind.ts";
import { keepBound } from "./persistentvolumeclaim/bound.ts";
import { concerns } from "./persistentvolumeclaim/concerns.ts";
import { hasNode } from "./persistentvolumeclaim/consumer.ts";
import { outcomeOf } from "./persistentvolumeclaim/outcome.ts";
import { type World, worldOf } from "./persistentvolumeclaim/world.ts";
import { withFinalizer, withoutFinalizers } from "./workload/finalizers.ts";

type ClaimDecision = Decision<PersistentVolume, PersistentVolumeClaim>;

/**
 * Binds a claim to a volume. The claim and the volume are written in one transaction, each at the
 * revision of the cut (S2): a volume is given to one claim only, whoever decides.
 */
export function decide(self: PersistentVolumeClaim, world: World): ClaimDecision {
  if (self.metadata.deletionTimestamp !== undefined) return ending(self, world);
  const known = completed(self, world);
  const step = isBound(known) ? keepBound(known, world.named) : bind(known, world);
  const { writes, claim, status, note } = outcomeOf(step, known);
  const text = note === undefined ? "" : `${note.reason}: ${note.message}`;
  return {
    writes,
    status: dequal(status, self.status) ? self.status : status,
    wakeAt: undefined,
    events: note === undefined || text === world.told ? [] : [note],
    self: claim === self ? undefined : update(claim),
    remember: text,
  };
}

/** It stays while a pod that has a node names it. */
function ending(self: PersistentVolumeClaim, { users }: World): ClaimDecision {
  const next = users.some(hasNode) ? self : withoutFinalizers(self, [claimProtection]);
  return {
    writes: [],
    status: self.status,
    wakeAt: undefined,
    events: [],
    self: next === self ? undefined : update(next),
  };
}

/** With the default class when it names none, and its protection. */
function completed(self: PersistentVolumeClaim, { storageClass }: World): PersistentVolumeClaim {
  const held = withFinalizer(self, claimProtection);
  const { spec } = held;
  const isClassed = spec.storageClassName !== undefined || storageClass === undefined;
  if (isClassed || isBound(held)) return held;
  return { ...held, spec: { ...spec, storageClassName: storageClass.metadata.name } };
}

export const persistentVolumeClaims = controller({
  kind: persistentVolumeClaim,
  owns: [persistentVolume],
  ownedWakeOwners: false, // A volume says whose it is by `claimRef`.
  read: worldOf,
  decide,
  concerns,
});
