/** Which volume a claim comes to be bound to that never was. */
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import { isFor, selectedNode, volumeNameOf } from "../../../../libs/model/storage/binding.ts";
import { consumerNode } from "../../../../libs/model/storage/consumer.ts";
import { waitsForConsumer } from "../../../../libs/model/storage/class.ts";
import { bestVolume, mismatchOf } from "../../../../libs/model/storage/match.ts";
import { warning } from "../../controller.ts";
import { waitingFor } from "./consumer.ts";
import { provision } from "./provision.ts";
import type { Step } from "./step.ts";
import type { World } from "./world.ts";

/** @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding */
export function bind(self: PersistentVolumeClaim, world: World): Step {
  if (volumeNameOf(self) !== "") return bindNamed(self, world.named);
  if (!waitsForConsumer(world.storageClass)) {
    const found = bestVolume(self, world.volumes);
    return found === undefined ? provision(self, world, undefined) : { to: "bind", volume: found };
  }
  // What someone keeps for the claim is its volume, wherever its consumer will run.
  const kept = bestVolume(
    self,
    world.volumes.filter((volume) => isFor(volume, self)),
  );
  if (kept !== undefined) return { to: "bind", volume: kept };
  const home = homeOf(self, world);
  if (home !== undefined) {
    const place = { name: home.metadata.name, labels: home.metadata.labels ?? {} };
    const found = bestVolume(self, world.volumes, place);
    return found === undefined ? provision(self, world, home) : { to: "bind", volume: found };
  }
  const nodeIsGone = self.metadata.annotations?.[selectedNode] !== undefined;
  return { to: "wait", note: waitingFor(world.users), nodeIsGone };
}

function homeOf(self: PersistentVolumeClaim, { users, nodes }: World): Node | undefined {
  const named = (name: string) => nodes.find(({ metadata }) => metadata.name === name);
  const name = consumerNode(self, users, (one) => named(one) !== undefined);
  return name === undefined ? undefined : named(name);
}

function bindNamed(self: PersistentVolumeClaim, volume: PersistentVolume | undefined): Step {
  if (volume === undefined) return { to: "wait" };
  if (volume.spec.claimRef !== undefined) {
    if (isFor(volume, self)) return { to: "bind", volume };
    const message = `volume "${volume.metadata.name}" already bound to a different claim.`;
    return { to: "wait", note: warning("FailedBinding", message) };
  }
  if (volume.metadata.deletionTimestamp !== undefined) return { to: "wait" };
  const mismatch = mismatchOf(self, volume);
  if (mismatch === undefined) return { to: "bind", volume };
  const message = `Cannot bind to requested volume "${volume.metadata.name}": ${mismatch}`;
  return { to: "wait", note: warning("VolumeMismatch", message) };
}
