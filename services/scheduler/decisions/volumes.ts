/** What the claims to storage that a pod names ask of its node. */
import type { PersistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { allowsPlace } from "../../../libs/model/storage/class.ts";
import { bestVolume, reaches } from "../../../libs/model/storage/match.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Predicate } from "./predicate.ts";

export type PodVolumes = {
  /** Why no node takes the pod at all. */
  readonly problem: string | undefined;
  /** The volumes that its claims are bound to. */
  readonly bound: readonly PersistentVolume[];
  /** Its claims that are bound when it is, those that ask for the least first. */
  readonly waiting: readonly WaitingClaim[];
  /** Its claims that one pod at a time may use (ReadWriteOncePod). */
  readonly exclusive: readonly ExclusiveClaim[];
};

export type ExclusiveClaim = {
  readonly claim: PersistentVolumeClaim;
  /** By another pod that has a node. */
  readonly isUsed: boolean;
};

export type WaitingClaim = {
  readonly claim: PersistentVolumeClaim;
  /** Those that it may have. */
  readonly volumes: readonly PersistentVolume[];
  /** Where one may be made for it; undefined: nowhere. */
  readonly makeable: Parameters<typeof allowsPlace>[0] | undefined;
  /** The node of another pod that uses it: there it will be. */
  readonly node: string | undefined;
  /** That other one has seen to it. */
  readonly isTaken: boolean;
};

/**
 * A claim that is written as the pod is bound: one that waited gets its node with it, and a volume, or
 * one is made; of one that is exclusive nobody else can be bound with it at once.
 */
export type Choice = {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume | undefined;
};

export const noVolumes: PodVolumes = {
  problem: undefined,
  bound: [],
  waiting: [],
  exclusive: [],
};

/** The node reaches the volumes that the pod has, and those that it will have. */
export const volumeBinding: Predicate = {
  name: "VolumeBinding",
  fixed: true,
  check: ({ volumes }, room) =>
    volumes.problem === undefined &&
    volumes.bound.every((volume) => reaches(volume, room)) &&
    choicesOn(volumes, room) !== undefined,
  explain({ volumes }, room) {
    const reachesAll = volumes.bound.every((volume) => reaches(volume, room));
    return [
      ...(reachesAll ? [] : ["node(s) didn't match PersistentVolume's node affinity"]),
      ...(choicesOn(volumes, room) === undefined
        ? ["node(s) didn't find available persistent volumes to bind"]
        : []),
    ];
  },
};

/** No other pod uses a claim that one pod may use. */
export const volumeRestrictions: Predicate = {
  name: "VolumeRestrictions",
  fixed: true,
  check: ({ volumes }) => !volumes.exclusive.some(({ isUsed }) => isUsed),
  explain: () => [
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
  ],
};

/** What is written of the pod's claims when it is bound there; undefined: one of them gets nothing. */
export function choicesOn(
  { waiting, exclusive }: PodVolumes,
  room: Room,
): readonly Choice[] | undefined {
  const choices: Choice[] = [];
  for (const { claim, volumes, makeable, node, isTaken } of waiting) {
    if (node !== undefined && node !== room.name) return undefined;
    if (isTaken) continue;
    const free = volumes.filter((one) => !choices.some(({ volume }) => volume === one));
    const volume = bestVolume(claim, free, room);
    const isMade = makeable !== undefined && allowsPlace(makeable, room.labels);
    if (volume === undefined && !isMade) return undefined;
    choices.push({ claim, volume });
  }
  const others = exclusive.filter(({ claim }) => !waiting.some((one) => one.claim === claim));
  return [...choices, ...others.map(({ claim }) => ({ claim, volume: undefined }))];
}

/** What the pods of one batch have taken, so that no other of them takes it too. */
export type Reservations = {
  /** The pod, knowing what is taken; the same one when none of that concerns it. */
  known(claim: Claim): Claim;
  take(choices: readonly Choice[], node: string): void;
};

export function reservations(): Reservations {
  const volumes = new Set<string>();
  /** Claim uid → the node where it will be. */
  const nodes = new Map<string, string>();
  const left = (one: WaitingClaim): WaitingClaim => {
    const node = nodes.get(one.claim.metadata.uid);
    if (node !== undefined) return { ...one, node, isTaken: true };
    return { ...one, volumes: one.volumes.filter(({ metadata }) => !volumes.has(metadata.name)) };
  };
  const used = (one: ExclusiveClaim): ExclusiveClaim =>
    nodes.has(one.claim.metadata.uid) ? { ...one, isUsed: true } : one;
  return {
    known(claim) {
      const { waiting, exclusive } = claim.volumes;
      if (waiting.length + exclusive.length === 0) return claim;
      const known = { waiting: waiting.map(left), exclusive: exclusive.map(used) };
      return { ...claim, volumes: { ...claim.volumes, ...known } };
    },
    take(choices, node) {
      for (const { claim, volume } of choices) {
        nodes.set(claim.metadata.uid, node);
        if (volume !== undefined) volumes.add(volume.metadata.name);
      }
    },
  };
}
