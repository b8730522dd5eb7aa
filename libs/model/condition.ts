import * as z from "zod";
import { int64 } from "./field.ts";
import { time } from "./time.ts";

export const conditionStatus = z.enum(["True", "False", "Unknown"]);

/** metav1.Condition. */
export const condition = z
  .strictObject({
    type: z.string().min(1).meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    observedGeneration: int64.optional().meta({ proto: 3 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "meta.v1.Condition" });

type AnyCondition = {
  readonly type: string;
  readonly status: z.output<typeof conditionStatus>;
  readonly lastTransitionTime?: string | undefined;
};

export const conditionOf = <C extends { readonly type: string }>(
  object: { readonly status?: { readonly conditions?: readonly C[] | undefined } | undefined },
  type: string,
): C | undefined => object.status?.conditions?.find((one) => one.type === type);

/**
 * The conditions with `next` in place of the one of its type. The time of the last transition stays
 * when the status does.
 */
export function withCondition<C extends AnyCondition>(conditions: readonly C[], next: C): C[] {
  const at = conditions.findIndex(({ type }) => type === next.type);
  const before = conditions[at];
  if (before === undefined) return [...conditions, next];
  const same = before.status === next.status && before.lastTransitionTime !== undefined;
  const kept = same ? { ...next, lastTransitionTime: before.lastTransitionTime } : next;
  return conditions.with(at, kept);
}
