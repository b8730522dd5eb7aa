import type { RolloutBounds } from "../../../../libs/model/rollout.ts";
import { counted, oldestFirst, type Plan, type SetSize, staying, sum } from "./set-size.ts";

/**
 * One step of a rolling update, from the cut as it is: the new set grows into what surge allows, the
 * old ones give up what availability allows. Both hold together, as each is judged without the other.
 *
 * @param sets the new one (of size 0 while it does not exist) and the old ones
 * @param desired pods wanted
 */
export function rollingStep(
  sets: readonly SetSize[],
  desired: number,
  bounds: RolloutBounds,
): Plan {
  const plan = new Map<string, number>();
  const fresh = sets.find(({ isNew }) => isNew);
  if (fresh === undefined) return plan;
  plan.set(fresh.name, newSize(fresh, sets, desired, bounds));
  for (const [name, size] of oldSizes(sets, desired - bounds.unavailable)) plan.set(name, size);
  return plan;
}

/** The new set's size: never more pods in all than `desired + surge` (O2). */
function newSize(
  fresh: SetSize,
  sets: readonly SetSize[],
  desired: number,
  { surge }: RolloutBounds,
): number {
  if (fresh.replicas >= desired) return desired;
  const others = sum(
    sets.filter((set) => set !== fresh),
    counted,
  );
  const room = desired + surge - others;
  return Math.max(fresh.replicas, Math.min(room, desired));
}

/**
 * The old sets' sizes: first what is not available goes, which costs nobody anything, then as much of
 * what is available as leaves `minAvailable` staying.
 */
function oldSizes(sets: readonly SetSize[], minAvailable: number): Plan {
  const plan = new Map<string, number>();
  const fresh = sets.filter(({ isNew }) => isNew);
  const old = oldestFirst(sets.filter(({ isNew }) => !isNew));
  const size = (set: SetSize) => plan.get(set.name) ?? set.replicas;
  const newUnavailable = sum(fresh, (set) => set.replicas - staying(set));
  let spare = sum(sets, ({ replicas }) => replicas) - minAvailable - newUnavailable;
  if (spare <= 0) return plan;
  for (const set of old) {
    const unhealthy = Math.min(set.replicas - staying(set), spare);
    if (unhealthy <= 0) continue;
    plan.set(set.name, set.replicas - unhealthy);
    spare -= unhealthy;
  }
  let expendable = sum(sets, staying) - minAvailable;
  for (const set of old) {
    const given = Math.min(size(set), expendable);
    if (given <= 0) continue;
    plan.set(set.name, size(set) - given);
    expendable -= given;
  }
  return plan;
}
