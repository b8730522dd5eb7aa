/** The volumes of a node's pods: what they are on the machine, and which directories are to go. */
import { admitUpdate } from "../../../libs/admission/admit.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { node as nodeKind } from "../../../libs/model/kinds/node.ts";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import { isBound, isForGood, volumeNameOf } from "../../../libs/model/storage/binding.ts";
import { directoryFinalizer, directoryGoesFrom } from "../../../libs/model/storage/host-path.ts";
import { reaches } from "../../../libs/model/storage/match.ts";
import type { Claimed, ClaimRef, VolumesRemoved } from "../../../libs/protocol/node.ts";
import { withoutFinalizers } from "../actors/workload/finalizers.ts";
import { admission, type SessionPorts } from "./sessions.ts";

/** Bounds a heartbeat's reply; the next one names the others. */
const unclaimedMax = 100;

/** What a claim that a pod of the node names is there, or why the pod must wait. */
export function claimedOn(view: ClusterView, node: string, ref: ClaimRef): Claimed {
  const { namespace, name } = ref;
  const wait = (waits: string): Claimed => ({ ...ref, waits });
  const users = view
    .list(podKind, { claim: `${namespace}/${name}` })
    .filter(({ spec }) => spec.nodeName === node);
  const claim = users.length === 0 ? undefined : view.get(persistentVolumeClaim, namespace, name);
  if (claim === undefined) return wait(`persistentvolumeclaim "${name}" not found`);
  // A pod that came too late to hold the claim must not begin to use it.
  if (claim.metadata.deletionTimestamp !== undefined && !users.some(hasBegun))
    return wait(`persistentvolumeclaim "${name}" is being deleted`);
  const volume = volumeOf(view, claim);
  if (volume === undefined)
    return { ...wait(`persistentvolumeclaim "${name}" is not bound`), isPending: !isBound(claim) };
  const labels = view.get(nodeKind, undefined, node)?.metadata.labels ?? {};
  if (!reaches(volume, { name: node, labels }))
    return wait(
      `MountVolume.NodeAffinity check failed for volume "${volume.metadata.name}" : no matching NodeSelectorTerms`,
    );
  const onNode = placeOf(volume);
  return onNode === undefined
    ? wait("this node cannot serve a volume of its type")
    : { ...ref, volume: onNode };
}

function volumeOf(view: ClusterView, claim: PersistentVolumeClaim): PersistentVolume | undefined {
  if (!isBound(claim)) return undefined;
  const volume = view.get(persistentVolume, undefined, volumeNameOf(claim));
  return volume !== undefined && isForGood(volume, claim) ? volume : undefined;
}

function placeOf({ metadata, spec }: PersistentVolume): Claimed["volume"] {
  const { name, finalizers = [] } = metadata;
  const { hostPath, local, volumeMode } = spec;
  if (volumeMode === "Block") return undefined;
  if (hostPath !== undefined) {
    const makes = finalizers.includes(directoryFinalizer);
    return { name, path: hostPath.path, type: hostPath.type, makes };
  }
  return local && { name, path: local.path, type: "Directory", makes: false };
}

/** It had the claim before that was to end: it holds it (kubernetes.io/pvc-protection). */
const hasBegun = ({ status }: Pod): boolean =>
  status?.phase === "Running" ||
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
    ({ state }) => state?.running !== undefined || state?.terminated !== undefined,
  );

/** Volumes whose directories the node's agent is to remove, some of them. */
export const unclaimedOn = (view: ClusterView, node: string): string[] =>
  view
    .list(persistentVolume, { directoryGoesFrom: node })
    .slice(0, unclaimedMax)
    .map(({ metadata }) => metadata.name);

/** Their directories are gone, and hold them no longer. Of a lost race the agent is told again. */
export async function takeRemoved(
  ports: SessionPorts,
  { node, applied, volumes }: VolumesRemoved,
): Promise<object> {
  const { replica, store, view } = ports;
  await replica.caughtUp(applied); // N3
  const writes = volumes.flatMap((name) => {
    const volume = view.get(persistentVolume, undefined, name);
    if (volume === undefined || directoryGoesFrom(volume) !== node) return [];
    const freed = withoutFinalizers(volume, [directoryFinalizer]);
    return admitUpdate(persistentVolume, volume, freed, admission(ports))?.ops ?? [];
  });
  await Promise.all(writes.map((op) => store.commit([op], { cut: view.revision })));
  return {};
}
