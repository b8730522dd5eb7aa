import * as z from "zod";
import { int32 } from "../field.ts";
import { labelSelector } from "../label-selector.ts";
import { problem } from "../problem.ts";
import { compareQuantities, quantity } from "../quantity.ts";

/** What a name in a path must not be. */
const segmentFault = (text: string): string | undefined => {
  if (text === "." || text === "..") return `may not be '${text}'`;
  const held = ["/", "%"].find((one) => text.includes(one));
  return held === undefined ? undefined : `may not contain '${held}'`;
};

/** A name that must be there and fit into a path. */
const segment = (missing: string) =>
  z.string().superRefine((text, context) => {
    if (text === "") return context.addIssue(problem("FieldValueRequired", [], missing));
    const fault = segmentFault(text);
    if (fault === undefined) return;
    context.addIssue(problem("FieldValueInvalid", [], `${JSON.stringify(text)}: ${fault}`));
  });

/** The object that is scaled, or that a metric describes. */
export const crossVersionObjectReference = z
  .strictObject({
    kind: segment("").meta({ proto: 1, description: "Kind of the object." }),
    name: segment("").meta({ proto: 2, description: "Name of the object." }),
    apiVersion: z.string().optional().meta({ proto: 3, description: "Its group and version." }),
  })
  .meta({ title: "autoscaling.v2.CrossVersionObjectReference" });

export const metricIdentifier = z
  .strictObject({
    name: segment("must specify a metric name").meta({ proto: 1, description: "Its name." }),
    selector: labelSelector.optional().meta({ proto: 2, description: "Which of that name." }),
  })
  .meta({ title: "autoscaling.v2.MetricIdentifier" });

/** What a metric ought to be: as a whole, a pod, or in hundredths of what pods request. */
export const metricTarget = z
  .strictObject({
    type: z
      .string()
      .meta({ proto: 1, description: "Utilization, Value or AverageValue: which of them counts." }),
    value: quantity.optional().meta({ proto: 2, description: "The metric as a whole." }),
    averageValue: quantity.optional().meta({ proto: 3, description: "The metric a pod." }),
    averageUtilization: int32
      .optional()
      .meta({ proto: 4, description: "Percent of what the pods request." }),
  })
  .superRefine((target, context) => {
    const { type, value, averageValue, averageUtilization } = target;
    const invalid = (field: string, detail: string) =>
      context.addIssue(problem("FieldValueInvalid", [field], detail));
    if (!["Utilization", "Value", "AverageValue"].includes(type)) {
      const shown = JSON.stringify(type.slice(0, 63));
      invalid("type", `${shown}: must be either Utilization, Value, or AverageValue`);
    }
    for (const [field, amount] of Object.entries({ value, averageValue })) {
      if (amount === undefined || compareQuantities(amount, "0") > 0) continue;
      invalid(field, `"${amount}": must be positive`);
    }
    if (averageUtilization !== undefined && averageUtilization < 1) {
      invalid("averageUtilization", `${averageUtilization}: must be greater than 0`);
    }
  })
  .meta({ title: "autoscaling.v2.MetricTarget" });
export type MetricTarget = z.output<typeof metricTarget>;

/** What a metric is. */
export const metricValue = z
  .strictObject({
    value: quantity.optional().meta({ proto: 1, description: "The metric as a whole." }),
    averageValue: quantity.optional().meta({ proto: 2, description: "The metric a pod." }),
    averageUtilization: int32
      .optional()
      .meta({ proto: 3, description: "Percent of what the pods request." }),
  })
  .meta({ title: "autoscaling.v2.MetricValueStatus" });
export type MetricValue = z.output<typeof metricValue>;
