/** Who lives where, pods that are alike to other pods counted together. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";

/** Pods of a namespace with the same labels that say the same of other pods. */
export type Cohort = {
  /** One of them. */
  readonly like: Claim;
  /** Node → how many of them are there. */
  readonly homes: ReadonlyMap<string, number>;
};

export type Cohorts = {
  readonly all: Iterable<Cohort>;
};

export type CountedCohorts = Cohorts & {
  /** @param change 1 for a pod that has come, -1 for one that has gone */
  count(claim: Claim, node: string, change: 1 | -1): void;
};

export function countCohorts(rooms: Iterable<Room> = []): CountedCohorts {
  const known = new Map<string, { readonly like: Claim; readonly homes: Map<string, number> }>();
  const cohorts: CountedCohorts = {
    get all() {
      return known.values();
    },
    count(claim, node, change) {
      const { cohort } = claim;
      const found = known.get(cohort) ?? { like: claim, homes: new Map<string, number>() };
      const left = (found.homes.get(node) ?? 0) + change;
      if (left > 0) found.homes.set(node, left);
      else found.homes.delete(node);
      if (found.homes.size > 0) known.set(cohort, found);
      else known.delete(cohort);
    },
  };
  for (const room of rooms) for (const claim of room.claims) cohorts.count(claim, room.name, 1);
  return cohorts;
}
