/** What kinds that make pods from a template have in common. */
import { dequal } from "dequal";
import type { Cause } from "./errors.ts";
import type { Column } from "./kind.ts";
import {
  isEmptySelector,
  type LabelSelector,
  matchesSelector,
  selectorText,
} from "./label-selector.ts";
import type { PodTemplate } from "./pod/spec.ts";

type Templated = { readonly spec: { readonly template: PodTemplate } };
type Workload = {
  readonly kind: string;
  readonly spec: { readonly selector: LabelSelector; readonly template: PodTemplate };
};

/** The selector must select what the template makes, and its pods must be able to run on. */
export function workloadCauses({ kind, spec: { selector, template } }: Workload): readonly Cause[] {
  const causes: Cause[] = [];
  const { labels = {} } = template.metadata;
  if (isEmptySelector(selector)) {
    const message = `Invalid value: {}: empty selector is invalid for ${kind.toLowerCase()}`;
    causes.push({ reason: "FieldValueInvalid", field: "spec.selector", message });
  } else if (!matchesSelector(selector, labels)) {
    const shown = JSON.stringify(labels);
    const message = `Invalid value: ${shown}: \`selector\` does not match template \`labels\``;
    causes.push({ reason: "FieldValueInvalid", field: "spec.template.metadata.labels", message });
  }
  return [...causes, ...lastingCauses({ kind, spec: { template } })];
}

/** Pods that are to run on can neither end nor be ended by a deadline. */
export function lastingCauses({
  kind,
  spec: { template },
}: Templated & { readonly kind: string }): readonly Cause[] {
  const causes: Cause[] = [];
  const { restartPolicy, activeDeadlineSeconds } = template.spec;
  if (restartPolicy !== "Always") {
    const message = `Unsupported value: "${restartPolicy}": supported values: "Always"`;
    const field = "spec.template.spec.restartPolicy";
    causes.push({ reason: "FieldValueNotSupported", field, message });
  }
  if (activeDeadlineSeconds !== undefined) {
    const owner = kind === "Deployment" ? "ReplicaSet" : kind;
    const message = `Forbidden: activeDeadlineSeconds in ${owner} is not Supported`;
    const field = "spec.template.spec.activeDeadlineSeconds";
    causes.push({ reason: "FieldValueForbidden", field, message });
  }
  return causes;
}

type Selecting = Pick<Workload["spec"], "selector">;

export function selectorIsImmutable(
  before: { readonly spec: Selecting },
  after: { readonly spec: Selecting },
): readonly Cause[] {
  if (dequal(before.spec.selector, after.spec.selector)) return [];
  const shown = JSON.stringify(after.spec.selector);
  const message = `Invalid value: ${shown}: field is immutable`;
  return [{ reason: "FieldValueInvalid", field: "spec.selector", message }];
}

const names = (read: (container: { name: string; image: string }) => string) => (one: Templated) =>
  one.spec.template.spec.containers.map(read).join(",");

/** What the pods' containers are; shown by `-o wide`. */
export const containerColumns: readonly Column<Templated>[] = [
  { name: "Containers", type: "string", priority: 1, read: names(({ name }) => name) },
  { name: "Images", type: "string", priority: 1, read: names(({ image }) => image) },
];

/** Shown by `-o wide` of every kind that selects what it makes. */
export const templateColumns: readonly Column<Workload>[] = [
  ...containerColumns,
  {
    name: "Selector",
    type: "string",
    priority: 1,
    read: ({ spec }) => selectorText(spec.selector),
  },
];
