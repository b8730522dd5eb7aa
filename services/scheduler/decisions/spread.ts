import { matchesSelector } from "../../../libs/model/label-selector.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Score } from "./predicate.ts";

/** Pods of one owner go to different nodes while there are any. */
export const spreadOwner: Score = {
  name: "SelectorSpread",
  weight: 2,
  score: ({ group }, { groups }) => 100 / (1 + (groups.get(group) ?? 0)),
};

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

/** From 0 to 100 for each wish: 100 where a domain is the emptiest. */
export function spreadScore(claim: Claim, room: Room, domains: Domains): number {
  return wishesOf(claim).reduce((sum, { topologyKey }, nth) => {
    const counts = domains[nth];
    const domain = room.labels[topologyKey];
    if (counts === undefined || domain === undefined) return sum;
    const fewest = Math.min(...counts.values());
    return sum + 100 / (1 + (counts.get(domain) ?? 0) - fewest);
  }, 0);
}

const wishesOf = ({ spread }: Claim) =>
  spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "ScheduleAnyway");
