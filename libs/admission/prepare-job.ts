import { isEmptySelector, type LabelSelector, matchesSelector } from "../model/label-selector.ts";
import type { Cause } from "../model/errors.ts";
import type { AnyObject } from "./context.ts";

type Labels = Readonly<Record<string, string>>;
type JobSpec = {
  readonly manualSelector?: boolean;
  readonly selector?: LabelSelector;
  readonly template: {
    readonly metadata?: { readonly labels?: Labels } & Readonly<Record<string, unknown>>;
  };
};

/**
 * A new Job's selector and its pods' labels, which follow from its name and uid, so that no two Jobs
 * have a pod in common; the user's own where `manualSelector` says so.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector
 */
export function selectOwnPods(job: AnyObject): {
  readonly object: AnyObject;
  /** What the user wrote that contradicts it. */
  readonly causes: readonly Cause[];
} {
  const spec = job.spec as JobSpec | undefined; // Parsed as a Job.
  if (spec === undefined || spec.manualSelector === true) return { object: job, causes: [] };
  const { uid = "", name = "" } = job.metadata;
  const identity: Labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const written = spec.template.metadata?.labels ?? {};
  const labels = { ...identity, ...written };
  const selector = spec.selector ?? {
    matchLabels: { "batch.kubernetes.io/controller-uid": uid },
  };
  const causes = Object.entries(identity).flatMap(([key, value]) =>
    written[key] === undefined || written[key] === value
      ? []
      : [causeOf(`spec.template.metadata.labels[${key}]`, written[key], `must be '${value}'`)],
  );
  if (name.length > 63) {
    causes.push(causeOf("spec.template.labels", name, "must be no more than 63 characters"));
  }
  // Labels of the user's own would let two Jobs select each other's pods.
  if (isEmptySelector(selector) || !matchesSelector(selector, identity)) {
    causes.push(causeOf("spec.selector", selector, "`selector` not auto-generated"));
  }
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels } };
  return { object: { ...job, spec: { ...spec, selector, template } }, causes };
}

const causeOf = (field: string, value: unknown, detail: string): Cause => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
});
