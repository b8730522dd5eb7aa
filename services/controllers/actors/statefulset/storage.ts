/** The claims of a StatefulSet's pods: one of each template a pod, kept when the pod is made again. */
import { dequal } from "dequal";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import type { StatefulSet } from "../../../../libs/model/kinds/statefulset.ts";
import { create, type Newborn, type OwnerReference, update, type Write } from "../../controller.ts";
import { claimName, podName } from "./identity.ts";

/** A pod that is there, or whose place is empty. */
export type Place = {
  readonly ordinal: number;
  /** Of the pod that is there. */
  readonly uid: string | undefined;
  /** It is more than wanted, and goes. */
  readonly condemned: boolean;
};

export type Storage = {
  readonly writes: readonly Write<PersistentVolumeClaim>[];
  /** Ordinals whose claims still go with the pod before: a new pod waits for new ones. */
  readonly stale: ReadonlySet<number>;
};

/** The names of the claims of one pod. */
export const claimsOf = ({ metadata, spec }: StatefulSet, ordinal: number): readonly string[] =>
  (spec.volumeClaimTemplates ?? []).map((template) =>
    claimName(template.metadata.name ?? "", podName(metadata.name, ordinal)),
  );

/**
 * Makes what is missing, and says of each claim whom it goes with: the set, when that is deleted; the
 * pod, when that is one too many; nobody otherwise. The garbage collector does the rest.
 */
export function storageOf(
  self: StatefulSet,
  places: readonly Place[],
  claims: ReadonlyMap<string, PersistentVolumeClaim>,
): Storage {
  const stale = new Set<number>();
  const writes: Write<PersistentVolumeClaim>[] = [];
  for (const place of places) {
    for (const [nth, name] of claimsOf(self, place.ordinal).entries()) {
      const held = claims.get(name);
      if (held === undefined) {
        if (!place.condemned) writes.push(create(newClaim(self, name, nth)));
      } else if (place.uid === undefined && goesWithPod(self, place.ordinal, held)) {
        stale.add(place.ordinal);
      } else {
        const next = ownedClaim(self, place, held);
        if (!dequal(next, held)) writes.push(update(next));
      }
    }
  }
  return { writes, stale };
}

function newClaim(self: StatefulSet, name: string, nth: number): Newborn {
  const { metadata, spec } = self.spec.volumeClaimTemplates?.[nth] ?? {};
  const owners = setOwners(self);
  const { matchLabels } = self.spec.selector;
  const born = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: self.metadata.namespace,
      labels: { ...metadata?.labels, ...matchLabels },
      ...(metadata?.annotations !== undefined && { annotations: metadata.annotations }),
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
  };
  return { ...born, spec } as Newborn;
}

const ownerOf = (kind: string, apiVersion: string, name: string, uid: string): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
});

const setOwners = ({ kind, apiVersion, metadata, spec }: StatefulSet): OwnerReference[] =>
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted === "Delete"
    ? [ownerOf(kind, apiVersion, metadata.name, metadata.uid)]
    : [];

/** The claim with the owners that the policy says; those that others gave it stay. */
function ownedClaim(
  self: StatefulSet,
  { ordinal, uid, condemned }: Place,
  claim: PersistentVolumeClaim,
): PersistentVolumeClaim {
  const { name } = self.metadata;
  const own = podName(name, ordinal);
  const { ownerReferences = [], ...metadata } = claim.metadata;
  const foreign = ownerReferences.filter(
    (one) => one.uid !== self.metadata.uid && !(one.kind === "Pod" && one.name === own),
  );
  const withPod =
    condemned &&
    uid !== undefined &&
    self.spec.persistentVolumeClaimRetentionPolicy.whenScaled === "Delete";
  const wanted = withPod ? [ownerOf("Pod", "v1", own, uid)] : setOwners(self);
  const owners = [...foreign, ...wanted];
  return {
    ...claim,
    metadata: { ...metadata, ...(owners.length > 0 && { ownerReferences: owners }) },
  };
}

/** It was to go with a pod of this name, which is gone: the garbage collector is about to take it. */
const goesWithPod = (
  { metadata }: StatefulSet,
  ordinal: number,
  claim: PersistentVolumeClaim,
): boolean =>
  claim.metadata.deletionTimestamp !== undefined ||
  (claim.metadata.ownerReferences ?? []).some(
    (one) => one.kind === "Pod" && one.name === podName(metadata.name, ordinal),
  );
