/** How fast a HorizontalPodAutoscaler may go, each way. */
import * as z from "zod";
import { atomicList, int32 } from "../field.ts";
import { problem } from "../problem.ts";
import { compareQuantities, quantity } from "../quantity.ts";

const windowMaxSeconds = 3_600;
const periodMaxSeconds = 1_800;

/** A number > 0, and where there is a `max` no more than that, in Kubernetes' words. */
const positive = (max = Infinity) =>
  int32.superRefine((value, context) => {
    const say = (detail: string) =>
      context.addIssue(problem("FieldValueInvalid", [], `${value}: ${detail}`));
    if (value <= 0) say("must be greater than zero");
    if (value > max) say(`must be less than or equal to ${max}`);
  });

const policy = z
  .strictObject({
    type: z.enum(["Pods", "Percent"]).meta({ proto: 1, description: "What `value` counts." }),
    value: positive().meta({ proto: 2, description: "So much change is permitted." }),
    periodSeconds: positive(periodMaxSeconds).meta({ proto: 3, description: "In this time." }),
  })
  .meta({ title: "autoscaling.v2.HPAScalingPolicy" });

const rules = z
  .strictObject({
    selectPolicy: z
      .enum(["Max", "Min", "Disabled"])
      .optional()
      .meta({ proto: 1, description: "Which of several policies holds; Disabled: no change." }),
    policies: z
      .array(policy)
      .optional()
      .meta({ proto: 2, ...atomicList, description: "How much may change in a time." }),
    stabilizationWindowSeconds: int32
      .superRefine((value, context) => {
        const say = (detail: string) =>
          context.addIssue(problem("FieldValueInvalid", [], `${value}: ${detail}`));
        if (value < 0) say("must be greater than or equal to zero");
        if (value > windowMaxSeconds) say(`must be less than or equal to ${windowMaxSeconds}`);
      })
      .optional()
      .meta({
        proto: 3,
        description: "Of the recommendations of this time the most careful counts.",
      }),
    tolerance: quantity
      .refine((text) => compareQuantities(text, "0") >= 0, {
        error: "must be greater than or equal to zero",
      })
      .optional()
      .meta({ proto: 4, description: "A ratio to the target so near to 1 changes nothing." }),
  })
  .superRefine(({ policies }, context) => {
    if (policies === undefined || policies.length > 0) return;
    const detail = "must specify at least one Policy";
    context.addIssue(problem("FieldValueRequired", ["policies"], detail));
  })
  .meta({ title: "autoscaling.v2.HPAScalingRules" });
export type ScalingRules = z.output<typeof rules>;

export const behavior = z
  .strictObject({
    scaleUp: rules.optional().meta({ proto: 1 }),
    scaleDown: rules.optional().meta({ proto: 2 }),
  })
  .meta({ title: "autoscaling.v2.HorizontalPodAutoscalerBehavior" });
export type Behavior = z.output<typeof behavior>;

/** Four pods, or as many again, in 15 s: whichever is more. */
const upDefaults = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
} as const;
/** All at once; the window of scaling down is the controller's. */
const downDefaults = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
} as const;

/**
 * What a behaviour leaves open, filled in.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#default-behavior
 */
export const withDefaults = ({
  scaleUp,
  scaleDown,
}: Behavior): { readonly scaleUp: ScalingRules; readonly scaleDown: ScalingRules } => ({
  scaleUp: { ...upDefaults, policies: [...upDefaults.policies], ...scaleUp },
  scaleDown: { ...downDefaults, policies: [...downDefaults.policies], ...scaleDown },
});
