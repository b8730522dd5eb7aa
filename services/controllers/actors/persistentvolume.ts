import type { ClusterView } from "../../../libs/cluster/view.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { isForGood, volumeNameOf, volumeProtection } from "../../../libs/model/storage/binding.ts";
import { directoryFinalizer, directoryNode } from "../../../libs/model/storage/host-path.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  type Decision,
  type ObjectChange,
  remove,
  update,
} from "../controller.ts";
import { letGo } from "./persistentvolume/let-go.ts";
import { type Standing, standingOf } from "./persistentvolume/standing.ts";
import { withFinalizer, withoutFinalizers } from "./workload/finalizers.ts";

type VolumeDecision = Decision<never, PersistentVolume>;

export type World = {
  /** What `claimRef` names; another one of that name, when the first is gone. */
  readonly claim: PersistentVolumeClaim | undefined;
  /** The Node that its directory is on is there. */
  readonly nodeIsThere: boolean;
};

/**
 * Says whose a volume is, and what becomes of it when its claim is gone. It was written after its
 * claim, and a uid never comes back, so the claim's absence is evidence at any cut (S5).
 */
export function decide(self: PersistentVolume, world: World, now: EpochMs): VolumeDecision {
  const standing = standingOf(self, world.claim);
  const status = statusOf(self, standing, now);
  const rest = { writes: [], status, wakeAt: undefined, events: [] };
  const events = standing.note === undefined || status === self.status ? [] : [standing.note];
  if (self.metadata.deletionTimestamp !== undefined) {
    const next = withoutFinalizers(self, released(self, world));
    return { ...rest, self: next === self ? undefined : update(next) };
  }
  // What becomes of it is told before it happens.
  if (standing.goes && status === self.status) return { ...rest, self: remove(self) };
  const next = withFinalizer(standing.isLetGo ? letGo(self) : self, volumeProtection);
  return { ...rest, events, self: next === self ? undefined : update(next) };
}

/** What need not hold a volume any more that is being deleted. */
function released(self: PersistentVolume, { claim, nodeIsThere }: World): readonly string[] {
  const isUsed =
    claim !== undefined && isForGood(self, claim) && volumeNameOf(claim) === self.metadata.name;
  if (isUsed) return [];
  // Its agent removes its directory, when there is an agent, and nobody wants to keep it.
  const isRemoved = self.spec.persistentVolumeReclaimPolicy === "Delete" && nodeIsThere;
  return isRemoved ? [volumeProtection] : [volumeProtection, directoryFinalizer];
}

function statusOf(
  { status }: PersistentVolume,
  { phase, message }: Standing,
  now: EpochMs,
): PersistentVolume["status"] {
  if (status?.phase === phase && status.message === message) return status;
  const { message: _message, ...kept } = status ?? {};
  return {
    ...kept,
    phase,
    ...(message !== undefined && { message }),
    ...(phase !== status?.phase && { lastPhaseTransitionTime: timeOf(now) }),
  };
}

/** A claim concerns the volume that it names, and those that are kept for it; a Node's end, what is on it. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion !== "v1") return;
  if (object.kind === "PersistentVolumeClaim") {
    const sides = [before, after] as unknown as readonly (PersistentVolumeClaim | undefined)[]; // As its kind says.
    for (const side of sides) if (side && volumeNameOf(side) !== "") yield volumeNameOf(side);
    const claim = actorName(object.metadata);
    for (const { metadata } of view.list(persistentVolume, { claim })) yield metadata.name;
  }
  if (object.kind === "Node" && after === undefined) {
    const going = view.list(persistentVolume, { directoryGoesFrom: object.metadata.name ?? "" });
    for (const { metadata } of going) yield metadata.name;
  }
}

export const persistentVolumes = controller({
  kind: persistentVolume,
  owns: [],
  read(view, { metadata, spec: { claimRef } }): World {
    const { namespace, name } = claimRef ?? {};
    const home = metadata.annotations?.[directoryNode];
    return {
      claim:
        name === undefined ? undefined : view.get(persistentVolumeClaim, namespace ?? "", name),
      nodeIsThere: home !== undefined && view.get(node, undefined, home) !== undefined,
    };
  },
  decide,
  concerns,
});
