/** Which claims a change of something else concerns. */
import { dequal } from "dequal";
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { claimNamesOf } from "../../../../libs/model/pod/claim-refs.ts";
import { isBound } from "../../../../libs/model/storage/binding.ts";
import { actorName, type ObjectChange, type StoredObject } from "../../controller.ts";

/**
 * A pod that comes, goes or is given a node: those that it names. A volume: the one that it is kept
 * for, and when it is kept for none, all that have none; so do a class and a node.
 */
export function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const sides = [before, after].filter((side) => side !== undefined);
  const [one] = sides;
  switch (one === undefined ? "" : `${one.apiVersion}/${one.kind}`) {
    case "v1/Pod": {
      const pods = sides.map(asPod);
      if (pods.length === 2 && pods[0]?.spec.nodeName === pods[1]?.spec.nodeName) return;
      yield* new Set(pods.flatMap(claimsOf));
      return;
    }
    case "v1/PersistentVolume": {
      const refs = sides.flatMap((side) => asVolume(side).spec.claimRef ?? []);
      yield* new Set(refs.map(actorName));
      if (after !== undefined && asVolume(after).spec.claimRef === undefined) yield* unbound(view);
      return;
    }
    case "v1/Node":
      if (!dequal(before && placeOf(before), after && placeOf(after))) yield* unbound(view);
      return;
    case "storage.k8s.io/v1/StorageClass":
      yield* unbound(view);
      return;
    default:
  }
}

const claimsOf = ({ metadata: { namespace }, spec }: Pod): readonly string[] =>
  claimNamesOf(spec).map((name) => actorName({ namespace, name }));

const unbound = (view: ClusterView): readonly string[] =>
  view
    .list(persistentVolumeClaim)
    .filter((claim) => !isBound(claim))
    .map(({ metadata }) => actorName(metadata));

/** What of a Node decides where volumes are made. */
function placeOf(object: StoredObject): unknown {
  const { metadata, spec, status } = object as unknown as Node; // A v1 Node.
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const { labels, annotations, deletionTimestamp } = metadata;
  return { labels, annotations, deletionTimestamp, ready, cordoned: spec.unschedulable };
}

// Admission wrote what has these kinds.
const asPod = (object: StoredObject) => object as unknown as Pod;
const asVolume = (object: StoredObject) => object as unknown as PersistentVolume;
