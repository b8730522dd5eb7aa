import * as z from "zod";
import { condition } from "../condition.ts";
import { count, int64, mergeBy } from "../field.ts";
import { amount } from "../int-or-string.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { problem } from "../problem.ts";
import { time } from "../time.ts";

const spec = z
  .strictObject({
    minAvailable: amount
      .optional()
      .meta({ proto: 1, description: "Pods that must be left after an eviction." }),
    selector: labelSelector.optional().meta({
      proto: 2,
      "x-kubernetes-patch-strategy": "replace",
      description: "Its pods; empty: all of the namespace, absent: none.",
    }),
    maxUnavailable: amount
      .optional()
      .meta({ proto: 3, description: "Pods that may be missing after an eviction." }),
    unhealthyPodEvictionPolicy: z
      .enum(["IfHealthyBudget", "AlwaysAllow"])
      .optional()
      .meta({ proto: 4, description: "When pods that are not ready may be evicted." }),
  })
  .superRefine(({ minAvailable, maxUnavailable }, context) => {
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      const detail = "minAvailable and maxUnavailable cannot be both set";
      context.addIssue(problem("FieldValueInvalid", [], detail));
    }
    for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
      if (typeof value !== "string" || Number.parseInt(value, 10) <= 100) continue;
      const detail = `"${value}": must not be greater than 100%`;
      context.addIssue(problem("FieldValueInvalid", [name], detail));
    }
  })
  .meta({ title: "policy.v1.PodDisruptionBudgetSpec" });

const status = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    disruptedPods: z
      .record(z.string(), time)
      .optional()
      .meta({ proto: 2, description: "Pods whose eviction was permitted, and when." }),
    disruptionsAllowed: count.default(0).meta({ proto: 3 }),
    currentHealthy: count.default(0).meta({ proto: 4 }),
    desiredHealthy: count.default(0).meta({ proto: 5 }),
    expectedPods: count.default(0).meta({ proto: 6 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 7, ...mergeBy("type") }),
  })
  .meta({ title: "policy.v1.PodDisruptionBudgetStatus" });

const shown = (value: string | number | undefined) => (value === undefined ? "N/A" : String(value));

export const podDisruptionBudget = defineKind({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  short: ["pdb"],
  namespaced: true,
  description: "Limits how many of some pods may be evicted at once.",
  spec,
  status,
  columns: [
    { name: "Min Available", type: "string", read: ({ spec }) => shown(spec.minAvailable) },
    { name: "Max Unavailable", type: "string", read: ({ spec }) => shown(spec.maxUnavailable) },
    {
      name: "Allowed Disruptions",
      type: "integer",
      read: ({ status }) => status?.disruptionsAllowed ?? 0,
    },
  ],
});
export type PodDisruptionBudget = ObjectOf<typeof podDisruptionBudget>;
