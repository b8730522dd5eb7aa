/** What the decision of a claim's turn knows. */
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import { node, type Node } from "../../../../libs/model/kinds/node.ts";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../../../libs/model/kinds/pod.ts";
import { storageClass, type StorageClass } from "../../../../libs/model/kinds/storageclass.ts";
import { isBound, volumeNameOf } from "../../../../libs/model/storage/binding.ts";
import { defaultClassOf } from "../../../../libs/model/storage/class.ts";
import type { TurnSurroundings } from "../../controller.ts";

export type World = {
  /** The class that the claim names, or is to have because it names none. */
  readonly storageClass: StorageClass | undefined;
  /** The volume that the claim names. */
  readonly named: PersistentVolume | undefined;
  /** All that there are, for a claim that names none and is not bound. */
  readonly volumes: readonly PersistentVolume[];
  /** Pods that name the claim, for one that is not bound or is ending. */
  readonly users: readonly Pod[];
  /** For a claim that is not bound. */
  readonly nodes: readonly Node[];
  readonly clusterId: string;
  /** The last Event that its turns here told of (N1): it is not told twice. */
  readonly told: unknown;
};

export function worldOf(
  view: ClusterView,
  self: PersistentVolumeClaim,
  { settings, remembered }: TurnSurroundings,
): World {
  const { metadata, spec } = self;
  const volumeName = volumeNameOf(self);
  const searches = !isBound(self);
  const looksAtPods = searches || metadata.deletionTimestamp !== undefined;
  return {
    storageClass:
      spec.storageClassName === undefined
        ? defaultClassOf(view.list(storageClass))
        : view.get(storageClass, undefined, spec.storageClassName),
    named: volumeName === "" ? undefined : view.get(persistentVolume, undefined, volumeName),
    volumes: searches && volumeName === "" ? view.list(persistentVolume) : [],
    users: looksAtPods ? view.list(pod, { claim: `${metadata.namespace}/${metadata.name}` }) : [],
    nodes: searches ? view.list(node) : [],
    clusterId: settings.id,
    told: remembered,
  };
}
