import type { RolloutBounds } from "../../../../libs/model/rollout.ts";
import { counted, isActive, type Plan, type SetSize, staying, sum } from "./set-size.ts";

/** Whether the number of pods wanted has changed since the sets were last sized. */
export const isScaling = (sets: readonly SetSize[], desired: number): boolean =>
  sets.some((set) => isActive(set) && set.desiredThen !== undefined && set.desiredThen !== desired);

/**
 * Sizes for another number of pods wanted, without going on with the rollout: one set alone takes it
 * all; in the middle of a rolling update each takes its share, so that the ratio of old to new stays.
 *
 * @param proportional false for Recreate, which never has two sets that grow
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export function scaled(
  sets: readonly SetSize[],
  desired: number,
  bounds: RolloutBounds,
  proportional: boolean,
): Plan {
  const active = sets.filter(isActive);
  const only = active.length > 1 ? undefined : (active[0] ?? sets.find(({ isNew }) => isNew));
  if (only !== undefined) {
    return new Map([[only.name, roomFor(only, sets, desired, bounds.surge)]]);
  }
  const fresh = sets.find(({ isNew }) => isNew);
  const saturated = fresh !== undefined && fresh.replicas === desired && fresh.available >= desired;
  if (saturated) {
    return new Map(active.filter(({ isNew }) => !isNew).map(({ name }) => [name, 0]));
  }
  if (!proportional || active.length === 0) return new Map();
  return keepAvailable(active, shares(sets, desired, bounds), desired - bounds.unavailable);
}

function roomFor(only: SetSize, sets: readonly SetSize[], desired: number, surge: number): number {
  const others = sum(
    sets.filter((set) => set !== only),
    counted,
  );
  if (desired <= only.replicas) return desired;
  return Math.max(only.replicas, Math.min(desired, desired + surge - others));
}

/** Each active set's share of what is to be added or removed; the largest takes what rounding leaves. */
function shares(sets: readonly SetSize[], desired: number, { surge }: RolloutBounds): Plan {
  const allowed = desired > 0 ? desired + surge : 0;
  const now = sum(sets, ({ replicas }) => replicas);
  // O2: what is still there of lowered sets takes room from what may be added.
  const added = allowed > now ? Math.max(allowed - sum(sets, counted), 0) : allowed - now;
  const plan = new Map<string, number>();
  let given = 0;
  const active = largestFirst(sets.filter(isActive), added);
  for (const set of active) {
    const before = set.maxThen ?? now;
    const fraction = Math.round((set.replicas * allowed) / before) - set.replicas;
    const share =
      added > 0
        ? Math.max(Math.min(fraction, added - given), 0)
        : Math.min(Math.max(fraction, added - given), 0);
    plan.set(set.name, set.replicas + share);
    given += share;
  }
  const [largest] = active;
  if (largest !== undefined) {
    const size = plan.get(largest.name) ?? largest.replicas;
    plan.set(largest.name, Math.max(size + added - given, 0));
  }
  return plan;
}

/** By size; of equal ones the newer grows first, and the older shrinks first. */
const largestFirst = (sets: readonly SetSize[], added: number): readonly SetSize[] =>
  sets.toSorted((a, b) => {
    const newer = b.createdMs - a.createdMs;
    return b.replicas - a.replicas || (added > 0 ? newer : -newer) || (a.name < b.name ? -1 : 1);
  });

/**
 * Gives back what was taken of pods that are available and promised, and takes as much of those that are
 * not available: a set that will make them again is not to come above the surge.
 */
function keepAvailable(sets: readonly SetSize[], plan: Plan, minAvailable: number): Plan {
  const kept = new Map(plan);
  const size = (set: SetSize) => kept.get(set.name) ?? set.replicas;
  const stays = (set: SetSize) => Math.min(set.available, size(set));
  let missing = Math.min(minAvailable, sum(sets, staying)) - sum(sets, stays);
  let given = 0;
  for (const set of sets) {
    const back = Math.min(missing, staying(set) - size(set));
    if (back <= 0) continue;
    kept.set(set.name, size(set) + back);
    missing -= back;
    given += back;
  }
  for (const set of sets) {
    const less = Math.min(given, size(set) - stays(set));
    if (less <= 0) continue;
    kept.set(set.name, size(set) - less);
    given -= less;
  }
  return kept;
}
