/**
 * The pods of one owner are kept apart as far as it can be, where the cluster's settings say so: over
 * nodes, and over zones where pods say nothing of it themselves.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#cluster-level-default-constraints
 */
import type { SchedulingSettings } from "../../../libs/cluster/settings.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Score } from "./predicate.ts";

const hostname = "kubernetes.io/hostname";

/** 100 for a node without any of the owner's pods. */
export const apartScore: Score = {
  name: "OwnerSpread",
  weight: 2,
  score: ({ group }, { groups }) => 100 / (1 + (groups.get(group) ?? 0)),
};

export type OwnerSpread = {
  /** Whether one node takes several of an owner's pods last. */
  readonly byNode: boolean;
  /** The labels whose values are to have equally many of the pod's owner. */
  keysOf(claim: Claim): readonly string[];
  /** How many of the pod's owner are where the node is, by such a label. */
  count(claim: Claim, room: Room, key: string): number;
  /** Another has been placed there. */
  placed(claim: Claim, room: Room): void;
};

/** @param rooms every node of the cut */
export function ownerSpread(
  rooms: readonly Room[],
  { defaultSpread }: Pick<SchedulingSettings, "defaultSpread">,
): OwnerSpread {
  // A label that tells no nodes apart is left out: pods are judged together without it.
  const keys = defaultSpread.filter((key) => key !== hostname && tellsApart(rooms, key));
  /** Owner → label → value → pods. */
  const owners = new Map<string, ReadonlyMap<string, Map<string, number>>>();
  const countsOf = (group: string) => {
    const known = owners.get(group);
    if (known !== undefined) return known;
    const counts = new Map(keys.map((key) => [key, new Map<string, number>()]));
    owners.set(group, counts);
    for (const room of rooms) add(counts, room, room.groups.get(group) ?? 0);
    return counts;
  };
  return {
    byNode: defaultSpread.includes(hostname),
    keysOf: ({ isOwned, spread }) => (isOwned && spread.length === 0 ? keys : []),
    count: ({ group }, { labels }, key) =>
      countsOf(group)
        .get(key)
        ?.get(labels[key] ?? "") ?? 0,
    placed(claim, room) {
      const counts = owners.get(claim.group);
      if (counts !== undefined) add(counts, room, 1);
    },
  };
}

function add(
  counts: ReadonlyMap<string, Map<string, number>>,
  { labels }: Room,
  more: number,
): void {
  if (more === 0) return;
  for (const [key, domains] of counts) {
    const domain = labels[key] ?? "";
    domains.set(domain, (domains.get(domain) ?? 0) + more);
  }
}

function tellsApart(rooms: readonly Room[], key: string): boolean {
  const first = rooms[0]?.labels[key];
  return rooms.some(({ labels }) => labels[key] !== first);
}
