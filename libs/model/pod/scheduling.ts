import * as z from "zod";
import { atomicList, int32, int64 } from "../field.ts";
import { labelSelector } from "../label-selector.ts";
import { labelKey } from "../names.ts";
import { problem } from "../problem.ts";

const nodeSelectorRequirement = z
  .strictObject({
    key: z.string().min(1).meta({ proto: 1 }),
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]).meta({ proto: 2 }),
    values: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .superRefine(({ operator, values = [] }, context) => {
    const say = (reason: "FieldValueRequired" | "FieldValueForbidden", detail: string) =>
      context.addIssue(problem(reason, ["values"], detail));
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        say("FieldValueRequired", "must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (operator === "Gt" || operator === "Lt") {
      if (values.length !== 1) {
        say("FieldValueRequired", "must be specified single value when `operator` is 'Lt' or 'Gt'");
      }
    } else if (values.length > 0) {
      say(
        "FieldValueForbidden",
        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      );
    }
  })
  .meta({ title: "core.v1.NodeSelectorRequirement" });

const nodeSelectorTerm = z
  .strictObject({
    matchExpressions: z
      .array(nodeSelectorRequirement)
      .optional()
      .meta({ proto: 1, ...atomicList }),
    matchFields: z
      .array(nodeSelectorRequirement)
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .meta({ title: "core.v1.NodeSelectorTerm", "x-kubernetes-map-type": "atomic" });

/** Nodes that meet any of the terms. */
export const nodeSelector = z
  .strictObject({
    nodeSelectorTerms: z
      .array(nodeSelectorTerm)
      .min(1, "Required value: must have at least one node selector term")
      .meta({ proto: 1, ...atomicList }),
  })
  .meta({ title: "core.v1.NodeSelector", "x-kubernetes-map-type": "atomic" });

const weight = int32.min(1).max(100);

const nodeAffinity = z
  .strictObject({
    requiredDuringSchedulingIgnoredDuringExecution: nodeSelector.optional().meta({ proto: 1 }),
    preferredDuringSchedulingIgnoredDuringExecution: z
      .array(
        z
          .strictObject({
            weight: weight.meta({ proto: 1 }),
            preference: nodeSelectorTerm.meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.PreferredSchedulingTerm" }),
      )
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .meta({ title: "core.v1.NodeAffinity" });

const podAffinityTerm = z
  .strictObject({
    labelSelector: labelSelector.optional().meta({ proto: 1 }),
    namespaces: z
      .array(z.string())
      .optional()
      .meta({ proto: 2, ...atomicList }),
    topologyKey: labelKey.meta({ proto: 3 }),
    namespaceSelector: labelSelector.optional().meta({ proto: 4 }),
    matchLabelKeys: z
      .array(labelKey)
      .optional()
      .meta({ proto: 5, ...atomicList }),
    mismatchLabelKeys: z
      .array(labelKey)
      .optional()
      .meta({ proto: 6, ...atomicList }),
  })
  .meta({ title: "core.v1.PodAffinityTerm" });

const podAffinityFields = {
  requiredDuringSchedulingIgnoredDuringExecution: z
    .array(podAffinityTerm)
    .optional()
    .meta({ proto: 1, ...atomicList }),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(
      z
        .strictObject({
          weight: weight.meta({ proto: 1 }),
          podAffinityTerm: podAffinityTerm.meta({ proto: 2 }),
        })
        .meta({ title: "core.v1.WeightedPodAffinityTerm" }),
    )
    .optional()
    .meta({ proto: 2, ...atomicList }),
};

export const affinity = z
  .strictObject({
    nodeAffinity: nodeAffinity.optional().meta({ proto: 1 }),
    podAffinity: z
      .strictObject(podAffinityFields)
      .meta({ title: "core.v1.PodAffinity" })
      .optional()
      .meta({ proto: 2 }),
    podAntiAffinity: z
      .strictObject(podAffinityFields)
      .meta({ title: "core.v1.PodAntiAffinity" })
      .optional()
      .meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.Affinity" });

const taintEffect = z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]);

export const toleration = z
  .strictObject({
    key: z.string().optional().meta({ proto: 1, description: "Every key when absent." }),
    operator: z.enum(["Exists", "Equal"]).optional().meta({ proto: 2 }),
    value: z.string().optional().meta({ proto: 3 }),
    effect: z
      .enum([...taintEffect.options, ""])
      .optional()
      .meta({ proto: 4, description: "Every effect when absent." }),
    tolerationSeconds: int64
      .optional()
      .meta({ proto: 5, description: "How long a taint with NoExecute is tolerated." }),
  })
  .superRefine(
    ({ key = "", operator = "Equal", value = "", effect, tolerationSeconds }, context) => {
      if (key === "" && operator !== "Exists") {
        const detail =
          'operator must be Exists when `key` is empty, which means "match all values and all keys"';
        context.addIssue(problem("FieldValueInvalid", ["operator"], detail));
      }
      if (operator === "Exists" && value !== "") {
        const detail = "value must be empty when `operator` is 'Exists'";
        context.addIssue(problem("FieldValueInvalid", ["operator"], detail));
      }
      if (tolerationSeconds !== undefined && effect !== "NoExecute") {
        const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        context.addIssue(problem("FieldValueInvalid", ["effect"], detail));
      }
    },
  )
  .meta({ title: "core.v1.Toleration" });

export const taint = z
  .strictObject({
    key: labelKey.meta({ proto: 1 }),
    value: z.string().optional().meta({ proto: 2 }),
    effect: taintEffect.meta({ proto: 3 }),
    timeAdded: z.string().optional().meta({ proto: 4, format: "date-time" }),
  })
  .meta({ title: "core.v1.Taint" });

export const topologySpreadConstraint = z
  .strictObject({
    maxSkew: int32.min(1).meta({ proto: 1 }),
    topologyKey: labelKey.meta({ proto: 2 }),
    whenUnsatisfiable: z.enum(["DoNotSchedule", "ScheduleAnyway"]).meta({ proto: 3 }),
    labelSelector: labelSelector.optional().meta({ proto: 4 }),
    minDomains: int32.min(1).optional().meta({ proto: 5 }),
    nodeAffinityPolicy: z.enum(["Honor", "Ignore"]).optional().meta({ proto: 6 }),
    nodeTaintsPolicy: z.enum(["Honor", "Ignore"]).optional().meta({ proto: 7 }),
    matchLabelKeys: z
      .array(labelKey)
      .optional()
      .meta({ proto: 8, ...atomicList }),
  })
  .meta({ title: "core.v1.TopologySpreadConstraint" });
