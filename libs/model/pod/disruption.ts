import { type EpochMs, timeOf } from "../time.ts";

export type Disruption = { readonly reason: string; readonly message: string };
type Condition = { readonly type: string };

/** The condition that a pod which the cluster makes go has, though it did nothing itself. */
export const disruptionTarget = "DisruptionTarget";

/** @param conditions of a pod's status */
export function withDisruption<C extends Condition>(
  conditions: readonly C[],
  disruption: Disruption,
  now: EpochMs,
): readonly (C | ReturnType<typeof conditionOf>)[] {
  const others = conditions.filter(({ type }) => type !== disruptionTarget);
  return [...others, conditionOf(disruption, now)];
}

const conditionOf = ({ reason, message }: Disruption, now: EpochMs) =>
  ({
    type: disruptionTarget,
    status: "True",
    lastTransitionTime: timeOf(now),
    reason,
    message,
  }) as const;
