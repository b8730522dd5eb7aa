import { matchesSelector } from "../../../libs/model/label-selector.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";

/** How many pods that each constraint selects live in each of its domains: `[constraint][domain]`. */
export type Domains = readonly ReadonlyMap<string, number>[];

/** Counts for the constraints of `claim` that are wishes (`ScheduleAnyway`). */
export function domainsOf(claim: Claim, rooms: Iterable<Room>): Domains {
  const wishes = wishesOf(claim);
  const counts = wishes.map(() => new Map<string, number>());
  if (wishes.length === 0) return counts;
  for (const room of rooms) {
    for (const [nth, { topologyKey, labelSelector = {} }] of wishes.entries()) {
      const domain = room.labels[topologyKey];
      if (domain === undefined) continue;
      const selected = room.claims.filter(
        ({ namespace, labels }) =>
          namespace === claim.namespace && matchesSelector(labelSelector, labels),
      );
      const known = counts[nth];
      known?.set(domain, (known.get(domain) ?? 0) + selected.length);
    }
  }
  return counts;
}

/**
 * Pods of one owner go to different nodes while there are any, and to different domains where they
 * wish it: 100 for a node without any of them, and 100 for each wish where a domain is the emptiest.
 */
export function spreadScore(claim: Claim, room: Room, domains: Domains): number {
  let score = 100 / (1 + (room.groups.get(claim.group) ?? 0));
  for (const [nth, { topologyKey }] of domains.length === 0 ? [] : wishesOf(claim).entries()) {
    const counts = domains[nth];
    const domain = room.labels[topologyKey];
    if (counts === undefined || domain === undefined) continue;
    const fewest = Math.min(...counts.values());
    score += 100 / (1 + (counts.get(domain) ?? 0) - fewest);
  }
  return score;
}

const wishesOf = ({ spread }: Claim) =>
  spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "ScheduleAnyway");
