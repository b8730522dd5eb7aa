/** What a Job's spec must keep to across its fields, in Kubernetes' words. */
import type { Cause } from "../errors.ts";
import type { ProblemReason } from "../problem.ts";
import { isEmptySelector, matchesSelector } from "../label-selector.ts";
import { parseIndexes, sizeOf } from "./indexes.ts";
import type { JobSpec } from "./job-spec.ts";

const parallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** With more completions than this, failed indexes and parallelism are bounded more tightly. */
const manyCompletions = 100_000;
const manyCompletionsMax = 10_000;
const rulesMax = 20;
const valuesMax = 255;

type Report = (reason: ProblemReason, field: string, message: string) => void;

/** @param at the spec's path, such as `spec` or `spec.jobTemplate.spec` */
export function jobSpecCauses(spec: JobSpec, at: string): readonly Cause[] {
  const causes: Cause[] = [];
  const report: Report = (reason, field, message) =>
    causes.push({ reason, field: `${at}.${field}`, message });
  checkTemplate(spec, report);
  checkIndexed(spec, report);
  checkFailurePolicy(spec, report);
  checkSuccessPolicy(spec, report);
  return causes;
}

function checkTemplate({ template, podFailurePolicy }: JobSpec, report: Report): void {
  const { restartPolicy } = template.spec;
  const field = "template.spec.restartPolicy";
  if (restartPolicy === "Always") {
    report("FieldValueRequired", field, 'Required value: valid values: "OnFailure", "Never"');
  } else if (podFailurePolicy !== undefined && restartPolicy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    report("FieldValueInvalid", field, `Invalid value: "${restartPolicy}": ${detail}`);
  }
}

function checkIndexed(spec: JobSpec, report: Report): void {
  const { completions, parallelism = 1, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const invalid = (field: string, value: unknown, detail: string) =>
    report("FieldValueInvalid", field, `Invalid value: ${JSON.stringify(value)}: ${detail}`);
  const indexed = spec.completionMode === "Indexed";
  if (indexed && completions === undefined) {
    const detail = "when completion mode is Indexed";
    report("FieldValueRequired", "completions", `Required value: ${detail}`);
  }
  if (indexed && parallelism > parallelismMax) {
    const detail = `must be less than or equal to ${parallelismMax} when completion mode is Indexed`;
    invalid("parallelism", parallelism, detail);
  }
  if (backoffLimitPerIndex !== undefined && !indexed) {
    invalid("backoffLimitPerIndex", backoffLimitPerIndex, "requires indexed completion mode");
  }
  if (maxFailedIndexes === undefined) return checkManyCompletions(spec, report);
  if (backoffLimitPerIndex === undefined) {
    const detail = "when maxFailedIndexes is specified";
    report("FieldValueRequired", "backoffLimitPerIndex", `Required value: ${detail}`);
  }
  if (completions !== undefined && maxFailedIndexes > completions) {
    invalid("maxFailedIndexes", maxFailedIndexes, "must be less than or equal to completions");
  }
  if (maxFailedIndexes > failedIndexesMax) {
    const detail = `must be less than or equal to ${failedIndexesMax}`;
    invalid("maxFailedIndexes", maxFailedIndexes, detail);
  }
  checkManyCompletions(spec, report);
}

function checkManyCompletions(
  { completions = 0, parallelism = 1, backoffLimitPerIndex, maxFailedIndexes }: JobSpec,
  report: Report,
): void {
  if (backoffLimitPerIndex === undefined || completions <= manyCompletions) return;
  const when = `when completions are above ${manyCompletions} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) {
    report("FieldValueRequired", "maxFailedIndexes", `Required value: must be specified ${when}`);
  }
  const bounded = { maxFailedIndexes: maxFailedIndexes ?? 0, parallelism };
  for (const [field, value] of Object.entries(bounded)) {
    if (value <= manyCompletionsMax) continue;
    const detail = `must be less than or equal to ${manyCompletionsMax} ${when}`;
    report("FieldValueInvalid", field, `Invalid value: ${value}: ${detail}`);
  }
}

function checkFailurePolicy(spec: JobSpec, report: Report): void {
  const { podFailurePolicy, podReplacementPolicy, template, backoffLimitPerIndex } = spec;
  if (podFailurePolicy === undefined) return;
  if (podReplacementPolicy === "TerminatingOrFailed") {
    const message = 'Unsupported value: "TerminatingOrFailed": supported values: "Failed"';
    report("FieldValueNotSupported", "podReplacementPolicy", message);
  }
  const { rules } = podFailurePolicy;
  if (rules.length > rulesMax) {
    report(
      "FieldValueInvalid",
      "podFailurePolicy.rules",
      `Too many: must have at most ${rulesMax}`,
    );
  }
  const { containers, initContainers = [] } = template.spec;
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  for (const [nth, { action, onExitCodes, onPodConditions }] of rules.entries()) {
    const at = `podFailurePolicy.rules[${nth}]`;
    if (action === "FailIndex" && backoffLimitPerIndex === undefined) {
      const detail = "requires the backoffLimitPerIndex to be set";
      report("FieldValueInvalid", `${at}.action`, `Invalid value: "FailIndex": ${detail}`);
    }
    const both = onExitCodes !== undefined && (onPodConditions ?? []).length > 0;
    const neither = onExitCodes === undefined && (onPodConditions ?? []).length === 0;
    if (both || neither) {
      const detail = both
        ? "specifying both OnExitCodes and OnPodConditions is not supported"
        : "specifying one of OnExitCodes and OnPodConditions is required";
      report("FieldValueInvalid", at, `Invalid value: {}: ${detail}`);
    }
    if (onExitCodes !== undefined) checkExitCodes(onExitCodes, names, `${at}.onExitCodes`, report);
  }
}

type OnExitCodes = NonNullable<
  NonNullable<JobSpec["podFailurePolicy"]>["rules"][number]["onExitCodes"]
>;

function checkExitCodes(
  { containerName, operator, values }: OnExitCodes,
  names: ReadonlySet<string>,
  at: string,
  report: Report,
): void {
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    const message = `Invalid value: ${JSON.stringify(containerName)}: ${detail}`;
    report("FieldValueInvalid", `${at}.containerName`, message);
  }
  const invalid = (detail: string) =>
    report("FieldValueInvalid", `${at}.values`, `Invalid value: [${values.join(",")}]: ${detail}`);
  if (values.length === 0) invalid("at least one value is required");
  if (values.length > valuesMax) invalid(`must have at most ${valuesMax} values`);
  if (values.some((value, nth) => nth > 0 && value <= (values[nth - 1] ?? value))) {
    invalid("must be ordered, without duplicates");
  }
  if (operator === "In" && values.includes(0)) invalid("must not be 0 for the In operator");
}

function checkSuccessPolicy(spec: JobSpec, report: Report): void {
  const { successPolicy, completionMode, completions = 0 } = spec;
  if (successPolicy === undefined) return;
  if (completionMode !== "Indexed") {
    report(
      "FieldValueInvalid",
      "successPolicy",
      "Invalid value: {}: requires indexed completion mode",
    );
  }
  const { rules } = successPolicy;
  if (rules.length === 0) {
    const detail = "at least one rules must be specified when the successPolicy is specified";
    report("FieldValueRequired", "successPolicy.rules", `Required value: ${detail}`);
  }
  if (rules.length > rulesMax) {
    report("FieldValueInvalid", "successPolicy.rules", `Too many: must have at most ${rulesMax}`);
  }
  for (const [nth, { succeededIndexes, succeededCount }] of rules.entries()) {
    const at = `successPolicy.rules[${nth}]`;
    if (succeededIndexes === undefined && succeededCount === undefined) {
      const detail = "at least one of succeededCount or succeededIndexes must be specified";
      report("FieldValueRequired", at, `Required value: ${detail}`);
    }
    const indexes = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes);
    const beyond = (indexes?.at(-1)?.[1] ?? -1) >= completions;
    if (succeededIndexes !== undefined && (indexes === undefined || beyond)) {
      const detail = beyond
        ? "too large index for the completions"
        : "error parsing succeededIndexes";
      const message = `Invalid value: ${JSON.stringify(succeededIndexes)}: ${detail}`;
      report("FieldValueInvalid", `${at}.succeededIndexes`, message);
    }
    const most = Math.min(completions, indexes === undefined ? completions : sizeOf(indexes));
    if (succeededCount !== undefined && (succeededCount < 1 || succeededCount > most)) {
      const detail = `must be greater than 0 and at most ${most}`;
      report(
        "FieldValueInvalid",
        `${at}.succeededCount`,
        `Invalid value: ${succeededCount}: ${detail}`,
      );
    }
  }
}

/** A selector that the user chose must select what the template makes. */
export function manualSelectorCauses({ manualSelector, selector, template }: JobSpec): Cause[] {
  if (manualSelector !== true) return [];
  if (selector === undefined) {
    return [{ reason: "FieldValueRequired", field: "spec.selector", message: "Required value" }];
  }
  const { labels = {} } = template.metadata;
  if (!isEmptySelector(selector) && matchesSelector(selector, labels)) return [];
  const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
  return [{ reason: "FieldValueInvalid", field: "spec.template.metadata.labels", message }];
}
