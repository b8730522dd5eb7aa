import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { atomicList, count, int32, int64 } from "../field.ts";
import { labelSelector } from "../label-selector.ts";
import { labelKey } from "../names.ts";
import { podTemplate } from "../pod/spec.ts";

const onExitCodes = z
  .strictObject({
    containerName: z.string().optional().meta({
      proto: 1,
      description: "Only this container's code is compared; of any container when absent.",
    }),
    operator: z.enum(["In", "NotIn"]).meta({ proto: 2 }),
    values: z.array(int32).meta({ proto: 3, "x-kubernetes-list-type": "set" }),
  })
  .meta({ title: "batch.v1.PodFailurePolicyOnExitCodesRequirement" });

const onPodCondition = z
  .strictObject({
    type: labelKey.meta({ proto: 1 }),
    status: conditionStatus.default("True").meta({ proto: 2 }),
  })
  .meta({ title: "batch.v1.PodFailurePolicyOnPodConditionsPattern" });

const failureRule = z
  .strictObject({
    action: z.enum(["FailJob", "FailIndex", "Ignore", "Count"]).meta({
      proto: 1,
      description: "What a failure that the rule fits means for the Job.",
    }),
    onExitCodes: onExitCodes.optional().meta({ proto: 2 }),
    onPodConditions: z
      .array(onPodCondition)
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .meta({ title: "batch.v1.PodFailurePolicyRule" });

const podFailurePolicy = z
  .strictObject({ rules: z.array(failureRule).meta({ proto: 1, ...atomicList }) })
  .meta({ title: "batch.v1.PodFailurePolicy" });
export type PodFailurePolicy = z.output<typeof podFailurePolicy>;

const successRule = z
  .strictObject({
    succeededIndexes: z.string().optional().meta({ proto: 1, description: "Such as 0,2-4." }),
    succeededCount: int32.optional().meta({ proto: 2 }),
  })
  .meta({ title: "batch.v1.SuccessPolicyRule" });

const successPolicy = z
  .strictObject({ rules: z.array(successRule).meta({ proto: 1, ...atomicList }) })
  .meta({ title: "batch.v1.SuccessPolicy" });

/** A Job's, and a CronJob's Jobs'; the Job's own defaults are filled in when it is one. */
export const jobSpec = z
  .strictObject({
    parallelism: count.optional().meta({ proto: 1, description: "Pods that may run at once." }),
    completions: count.optional().meta({
      proto: 2,
      description: "Pods that must succeed; when absent, one success ends the Job.",
    }),
    activeDeadlineSeconds: int64.min(0).optional().meta({
      proto: 3,
      description: "Seconds that the Job may be active before it fails.",
    }),
    podFailurePolicy: podFailurePolicy
      .optional()
      .meta({ proto: 11, description: "What pods' failures mean; the first rule that fits." }),
    successPolicy: successPolicy
      .optional()
      .meta({ proto: 16, description: "When an Indexed Job has succeeded before all have." }),
    backoffLimit: count
      .optional()
      .meta({ proto: 7, description: "Failures after which the Job fails; 6 when absent." }),
    backoffLimitPerIndex: count
      .optional()
      .meta({ proto: 12, description: "Failures of an index after which that fails." }),
    maxFailedIndexes: count.optional().meta({ proto: 13 }),
    selector: labelSelector.optional().meta({ proto: 4, description: "Set by the cluster." }),
    manualSelector: z
      .boolean()
      .optional()
      .meta({ proto: 5, description: "The user chose labels and selector." }),
    template: podTemplate.meta({ proto: 6, description: "What its pods are made from." }),
    ttlSecondsAfterFinished: count
      .optional()
      .meta({ proto: 8, description: "Seconds after its end until it is deleted." }),
    completionMode: z
      .enum(["NonIndexed", "Indexed"])
      .optional()
      .meta({ proto: 9, description: "Indexed: each completion has a number of its own." }),
    suspend: z.boolean().optional().meta({ proto: 10, description: "Runs no pod while true." }),
    podReplacementPolicy: z
      .enum(["TerminatingOrFailed", "Failed"])
      .optional()
      .meta({ proto: 14, description: "When a pod that ends early gets a successor." }),
    managedBy: labelKey.max(63).optional().meta({
      proto: 15,
      description: "Who carries the Job out, if not this cluster.",
    }),
  })
  .meta({ title: "batch.v1.JobSpec" });
export type JobSpec = z.output<typeof jobSpec>;
