import * as z from "zod";
import { int64 } from "./field.ts";
import { time } from "./time.ts";

export const conditionStatus = z.enum(["True", "False", "Unknown"]);

/** A condition as kinds that make pods have it; each names its own. */
export const workloadCondition = (title: string) =>
  z
    .strictObject({
      type: z.string().meta({ proto: 1 }),
      status: conditionStatus.meta({ proto: 2 }),
      lastTransitionTime: time.optional().meta({ proto: 3 }),
      reason: z.string().optional().meta({ proto: 4 }),
      message: z.string().optional().meta({ proto: 5 }),
    })
    .meta({ title });

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
