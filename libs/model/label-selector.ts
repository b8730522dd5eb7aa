import * as z from "zod";
import { atomicList } from "./field.ts";
import { isLabelValue, labelKey, labelValue } from "./names.ts";

const labelRequirement = z
  .strictObject({
    key: labelKey.meta({ proto: 1 }),
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).meta({ proto: 2 }),
    values: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .superRefine(({ operator, values = [] }, context) => {
    const takesValues = operator === "In" || operator === "NotIn";
    const say = (message: string) =>
      context.addIssue({ code: "custom", path: ["values"], message, input: values });
    if (takesValues && values.length === 0) {
      say("Required value: must be specified when `operator` is 'In' or 'NotIn'");
    }
    if (!takesValues && values.length > 0) {
      say("Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    if (!values.every(isLabelValue)) say("Invalid value: must be valid label values");
  })
  .meta({ title: "meta.v1.LabelSelectorRequirement" });

/** What selects objects by their labels; without any requirement it selects all. */
export const labelSelector = z
  .strictObject({
    matchLabels: z.record(labelKey, labelValue).optional().meta({ proto: 1 }),
    matchExpressions: z
      .array(labelRequirement)
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .meta({ title: "meta.v1.LabelSelector", "x-kubernetes-map-type": "atomic" });
export type LabelSelector = z.output<typeof labelSelector>;

type Labels = Readonly<Record<string, string>>;
type Requirement = z.output<typeof labelRequirement>;

/** Whether labels meet every requirement; `NotIn` is also met by labels without the key. */
export function matchesSelector(selector: LabelSelector, labels: Labels | undefined = {}): boolean {
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((one) => matchesRequirement(one, labels))
  );
}

/** A Service's or a node's selector: every label has that value. */
export const matchesLabels = (wanted: Labels, labels: Labels): boolean =>
  Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );

/** A selector without requirements. Of a Deployment it is refused; of a NetworkPolicy it is all. */
export const isEmptySelector = ({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

/** `app=web,tier in (a,b)`, as kubectl shows a selector; `<none>` when it is empty. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const parts = [...equal, ...matchExpressions.map(requirementText)];
  return parts.length === 0 ? "<none>" : parts.join(",");
}

/** The same for a plain map of labels. */
export const labelsText = (matchLabels: Labels = {}): string =>
  selectorText({ matchLabels: { ...matchLabels } });

function requirementText({ key, operator, values = [] }: Requirement): string {
  switch (operator) {
    case "In":
      return `${key} in (${values.toSorted().join(",")})`;
    case "NotIn":
      return `${key} notin (${values.toSorted().join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return operator satisfies never;
  }
}

/** Of a label selector or, with Gt and Lt, of a node selector. */
type MatchedRequirement = {
  readonly key: string;
  readonly operator: Requirement["operator"] | "Gt" | "Lt";
  readonly values?: readonly string[] | undefined;
};

/** Whether labels (or fields) meet one requirement; `Gt` and `Lt` compare integers. */
export function matchesRequirement(
  { key, operator, values = [] }: MatchedRequirement,
  labels: Labels,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return isInteger(value) && Number(value) > Number(values[0]);
    case "Lt":
      return isInteger(value) && Number(value) < Number(values[0]);
    default:
      return operator satisfies never;
  }
}

const isInteger = (text: string | undefined) => text !== undefined && /^[+-]?\d+$/.test(text);
