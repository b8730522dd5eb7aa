import type { RolloutBounds } from "../../../../libs/model/rollout.ts";
import { rollingStep } from "./rolling.ts";
import { isScaling, scaled } from "./scaling.ts";
import type { Plan, SetSize } from "./set-size.ts";

export type Rollout = {
  readonly strategy: "RollingUpdate" | "Recreate";
  readonly paused: boolean;
  readonly desired: number;
  readonly bounds: RolloutBounds;
  /** Pods of old sets that have not ended, those being deleted included. */
  readonly oldPods: number;
};

/**
 * The sizes of a Deployment's sets after this turn. The new set is among `sets` with size 0 when it
 * is to be made; a plan that does not name it does not make it.
 */
export function nextSizes(sets: readonly SetSize[], rollout: Rollout): Plan {
  const { strategy, paused, desired, bounds, oldPods } = rollout;
  if (paused || isScaling(sets, desired)) {
    return scaled(sets, desired, bounds, strategy === "RollingUpdate");
  }
  if (strategy === "RollingUpdate") return rollingStep(sets, desired, bounds);
  return recreateStep(sets, desired, oldPods);
}

/** Every old pod ends before the first new one begins. */
function recreateStep(sets: readonly SetSize[], desired: number, oldPods: number): Plan {
  const old = sets.filter(({ isNew, replicas }) => !isNew && replicas > 0);
  if (old.length > 0) return new Map(old.map(({ name }) => [name, 0]));
  const fresh = sets.find(({ isNew }) => isNew);
  return new Map(fresh === undefined || oldPods > 0 ? [] : [[fresh.name, desired]]);
}
