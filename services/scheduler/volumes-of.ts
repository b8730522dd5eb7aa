/** Reads what a pod's claims to storage ask of its node out of a cut. */
import { resourceOf } from "../../libs/cluster/key.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import { storageClass, type StorageClass } from "../../libs/model/kinds/storageclass.ts";
import { claimNamesOf } from "../../libs/model/pod/claim-refs.ts";
import { compareQuantities } from "../../libs/model/quantity.ts";
import { isBound, isFor, volumeNameOf } from "../../libs/model/storage/binding.ts";
import { noProvisioner, waitsForConsumer } from "../../libs/model/storage/class.ts";
import { consumerNode } from "../../libs/model/storage/consumer.ts";
import { hostPathProvisioner, whyNoDirectory } from "../../libs/model/storage/host-path.ts";
import { classNameOf, requestOf } from "../../libs/model/storage/match.ts";
import { takesRoom } from "./claim.ts";
import {
  type ExclusiveClaim,
  noVolumes,
  type PodVolumes,
  type WaitingClaim,
} from "./decisions/volumes.ts";

/** @see https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode */
export function volumesOf(view: ClusterView, pod: Pod): PodVolumes {
  const { namespace } = pod.metadata;
  const bound: PodVolumes["bound"][number][] = [];
  const waiting: WaitingClaim[] = [];
  const exclusive: ExclusiveClaim[] = [];
  const cannot = (problem: string): PodVolumes => ({ ...noVolumes, problem });
  for (const name of claimNamesOf(pod.spec)) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    if (claim === undefined) return cannot(`persistentvolumeclaim "${name}" not found`);
    if (claim.metadata.deletionTimestamp !== undefined)
      return cannot(`persistentvolumeclaim "${name}" is being deleted`);
    if (claim.spec.accessModes.includes("ReadWriteOncePod"))
      exclusive.push({ claim, isUsed: isUsedBeside(view, claim, pod) });
    const volumeName = volumeNameOf(claim);
    if (isBound(claim)) {
      const volume = view.get(persistentVolume, undefined, volumeName);
      if (volume === undefined || claim.status?.phase === "Lost")
        return cannot(
          `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${volumeName}"`,
        );
      bound.push(volume);
      continue;
    }
    const of = view.get(storageClass, undefined, classNameOf(claim));
    if (!waitsForConsumer(of) || of === undefined || volumeName !== "")
      return cannot("pod has unbound immediate PersistentVolumeClaims");
    waiting.push(waitingClaim(view, claim, of));
  }
  return { problem: undefined, bound, waiting: waiting.toSorted(leastFirst), exclusive };
}

function waitingClaim(
  view: ClusterView,
  claim: PersistentVolumeClaim,
  of: StorageClass,
): WaitingClaim {
  const users = usersOf(view, claim);
  const all = view.list(persistentVolume);
  const kept = all.filter((volume) => isFor(volume, claim));
  return {
    claim,
    // What someone keeps for it is its volume, and no other.
    volumes: kept.length > 0 ? kept : all,
    makeable: kept.length === 0 && isMadeBy(of, claim) ? of : undefined,
    node: consumerNode(claim, users, (name) => view.get(nodeKind, undefined, name) !== undefined),
    isTaken: false,
  };
}

const usersOf = (view: ClusterView, { metadata }: PersistentVolumeClaim): readonly Pod[] =>
  view.list(podKind, { claim: `${metadata.namespace}/${metadata.name}` });

const isUsedBeside = (view: ClusterView, claim: PersistentVolumeClaim, { metadata }: Pod) =>
  usersOf(view, claim).some(
    (one) =>
      one.metadata.name !== metadata.name && (one.spec.nodeName ?? "") !== "" && takesRoom(one),
  );

function isMadeBy({ provisioner }: StorageClass, claim: PersistentVolumeClaim): boolean {
  if (provisioner === hostPathProvisioner) return whyNoDirectory(claim) === undefined;
  return provisioner !== noProvisioner;
}

const leastFirst = (a: WaitingClaim, b: WaitingClaim): number =>
  compareQuantities(requestOf(a.claim), requestOf(b.claim));

const storage = new Set([persistentVolumeClaim, persistentVolume, storageClass].map(resourceOf));

/** Whether a change of such a resource may be what a pod that names claims waits for. */
export const isStorage = (resource: string): boolean => storage.has(resource);
