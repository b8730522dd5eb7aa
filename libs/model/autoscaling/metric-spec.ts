import * as z from "zod";
import { dnsLabel, labelKeyFault } from "../names.ts";
import { problem } from "../problem.ts";
import {
  crossVersionObjectReference,
  metricIdentifier,
  type MetricTarget,
  metricTarget,
} from "./metric-target.ts";

type Need = {
  /** One of these must be set; the first is named when none is. */
  readonly oneOf: readonly (keyof MetricTarget)[];
  readonly missing: string;
  /** Refused beside another of `oneOf`. */
  readonly alone?: keyof MetricTarget;
  readonly both?: string;
};

/** What of a target a source needs, at the source's field `target`. */
const needs = ({ oneOf, missing, alone, both = "" }: Need) =>
  ((source, context) => {
    const { target } = source;
    const set = oneOf.filter((name) => target[name] !== undefined);
    const [first = "averageValue"] = oneOf;
    if (set.length === 0) {
      context.addIssue(problem("FieldValueRequired", ["target", first], missing));
    }
    if (alone !== undefined && set.length > 1 && set.includes(alone)) {
      context.addIssue(problem("FieldValueForbidden", ["target", alone], both));
    }
  }) satisfies (
    source: { readonly target: MetricTarget },
    context: Pick<z.core.$RefinementCtx, "addIssue">,
  ) => void;

const ofRequests: Need = {
  oneOf: ["averageUtilization", "averageValue"],
  missing: "must set either a target raw value or a target utilization",
  alone: "averageValue",
  both: "may not set both a target raw value and a target utilization",
};

const standardResources = ["cpu", "memory", "ephemeral-storage"];

/** A resource that a container may request. */
const resourceName = z.string().superRefine((name, context) => {
  if (name === "") {
    context.addIssue(problem("FieldValueRequired", [], "must specify a resource name"));
    return;
  }
  const shown = JSON.stringify(name.slice(0, 63));
  const fault = labelKeyFault(name);
  if (fault !== undefined) {
    context.addIssue(problem("FieldValueInvalid", [], `${shown}: ${fault}`));
  } else if (
    !name.includes("/") &&
    !standardResources.includes(name) &&
    !name.startsWith("hugepages-")
  ) {
    const detail = `${shown}: must be a standard resource for containers`;
    context.addIssue(problem("FieldValueInvalid", [], detail));
  }
});

const objectSource = z
  .strictObject({
    describedObject: crossVersionObjectReference.meta({ proto: 1 }),
    target: metricTarget.meta({ proto: 2 }),
    metric: metricIdentifier.meta({ proto: 3 }),
  })
  .superRefine(
    needs({
      oneOf: ["averageValue", "value"],
      missing: "must set either a target value or averageValue",
    }),
  )
  .meta({ title: "autoscaling.v2.ObjectMetricSource" });

const podsSource = z
  .strictObject({
    metric: metricIdentifier.meta({ proto: 1 }),
    target: metricTarget.meta({ proto: 2 }),
  })
  .superRefine(
    needs({ oneOf: ["averageValue"], missing: "must specify a positive target averageValue" }),
  )
  .meta({ title: "autoscaling.v2.PodsMetricSource" });

const externalSource = z
  .strictObject({
    metric: metricIdentifier.meta({ proto: 1 }),
    target: metricTarget.meta({ proto: 2 }),
  })
  .superRefine(
    needs({
      oneOf: ["averageValue", "value"],
      missing: "must set either a target value for metric or a per-pod target",
      alone: "value",
      both: "may not set both a target value for metric and a per-pod target",
    }),
  )
  .meta({ title: "autoscaling.v2.ExternalMetricSource" });

const resourceSource = z
  .strictObject({
    name: resourceName.meta({ proto: 1 }),
    target: metricTarget.meta({ proto: 2 }),
  })
  .superRefine(needs(ofRequests))
  .meta({ title: "autoscaling.v2.ResourceMetricSource" });

const containerResourceSource = z
  .strictObject({
    name: resourceName.meta({ proto: 1 }),
    target: metricTarget.meta({ proto: 2 }),
    container: dnsLabel.meta({ proto: 3 }),
  })
  .superRefine(needs(ofRequests))
  .meta({ title: "autoscaling.v2.ContainerResourceMetricSource" });

export const metricTypes = ["ContainerResource", "External", "Object", "Pods", "Resource"] as const;

/** The field that a type's source is in. */
const fieldOfType = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;

/** One metric to scale by: its type, and that type's source alone. */
export const metricSpec = z
  .strictObject({
    type: z.enum(metricTypes).meta({ proto: 1, description: "Which of the sources it is." }),
    object: objectSource.optional().meta({ proto: 2, description: "Of one object." }),
    pods: podsSource.optional().meta({ proto: 3, description: "Of each pod." }),
    resource: resourceSource
      .optional()
      .meta({ proto: 4, description: "What the pods use of a resource that they request." }),
    external: externalSource.optional().meta({ proto: 5, description: "Of no object at all." }),
    containerResource: containerResourceSource
      .optional()
      .meta({ proto: 7, description: "What one container of each pod uses." }),
  })
  .superRefine((spec, context) => {
    const wanted = fieldOfType[spec.type];
    const set = Object.values(fieldOfType).filter((field) => spec[field] !== undefined);
    if (!set.includes(wanted)) {
      const detail = "must populate information for the given metric source";
      context.addIssue(problem("FieldValueRequired", [wanted], detail));
    }
    for (const field of set.filter((one) => one !== wanted)) {
      const detail = "must populate the given metric source only";
      context.addIssue(problem("FieldValueForbidden", [field], detail));
    }
  })
  .meta({ title: "autoscaling.v2.MetricSpec" });
export type MetricSpec = z.output<typeof metricSpec>;
