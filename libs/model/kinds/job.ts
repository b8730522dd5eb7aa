import { dequal } from "dequal";
import * as z from "zod";
import { jobSpecCauses, manualSelectorCauses } from "../batch/job-causes.ts";
import { type JobSpec, jobSpec } from "../batch/job-spec.ts";
import { conditionStatus } from "../condition.ts";
import type { Cause } from "../errors.ts";
import { count } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { selectorText } from "../label-selector.ts";
import type { Metadata } from "../metadata.ts";
import { durationText, type EpochMs, time } from "../time.ts";
import { containerColumns } from "../workload.ts";

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1, description: "Complete, Failed, Suspended …" }),
    status: conditionStatus.meta({ proto: 2 }),
    lastProbeTime: time.optional().meta({ proto: 3 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "batch.v1.JobCondition" });
export type JobCondition = z.output<typeof condition>;

const uids = z.array(z.string()).optional();
const uncounted = z
  .strictObject({
    succeeded: uids.meta({ proto: 1, "x-kubernetes-list-type": "set" }),
    failed: uids.meta({ proto: 2, "x-kubernetes-list-type": "set" }),
  })
  .meta({ title: "batch.v1.UncountedTerminatedPods" });

const status = z
  .strictObject({
    conditions: z.array(condition).optional().meta({
      proto: 1,
      "x-kubernetes-list-type": "atomic",
      "x-kubernetes-patch-merge-key": "type",
      "x-kubernetes-patch-strategy": "merge",
    }),
    startTime: time.optional().meta({ proto: 2 }),
    completionTime: time.optional().meta({ proto: 3 }),
    active: count.optional().meta({ proto: 4, description: "Pods that run or will." }),
    succeeded: count.optional().meta({ proto: 5 }),
    failed: count.optional().meta({ proto: 6 }),
    terminating: count.optional().meta({ proto: 11 }),
    completedIndexes: z.string().optional().meta({ proto: 7, description: "Such as 0,2-4." }),
    failedIndexes: z.string().optional().meta({ proto: 10 }),
    uncountedTerminatedPods: uncounted.optional().meta({ proto: 8 }),
    ready: count.optional().meta({ proto: 9 }),
  })
  .meta({ title: "batch.v1.JobStatus" });
export type JobStatus = z.output<typeof status>;

const int32Max = 2 ** 31 - 1;

export const job = defineKind({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  namespaced: true,
  description: "Runs pods until as many as wanted have succeeded.",
  spec: jobSpec,
  status,
  complete: withDefaults,
  validate: causesOf,
  validateUpdate: updateCauses,
  columns: [
    { name: "Status", type: "string", read: statusText },
    { name: "Completions", type: "string", read: completionsText },
    { name: "Duration", type: "string", read: durationOf },
    ...containerColumns,
    {
      name: "Selector",
      type: "string",
      priority: 1,
      read: ({ spec }) => selectorText(spec.selector ?? {}),
    },
  ],
});
export type Job = ObjectOf<typeof job>;

type Shown = {
  readonly metadata: Metadata;
  readonly spec: JobSpec;
  readonly status?: JobStatus | undefined;
};

function withDefaults<O extends Shown>(one: O): O {
  const { spec, metadata } = one;
  const templateLabels = spec.template.metadata.labels ?? {};
  const ownLabels = Object.keys(metadata.labels ?? {}).length > 0;
  const once = spec.completions === undefined && spec.parallelism === undefined;
  const backoffLimit = spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  const replaced = spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  return {
    ...one,
    metadata: {
      ...metadata,
      ...(!ownLabels && Object.keys(templateLabels).length > 0 && { labels: templateLabels }),
    },
    spec: {
      ...spec,
      parallelism: spec.parallelism ?? 1,
      ...(once && { completions: 1 }),
      backoffLimit: spec.backoffLimit ?? backoffLimit,
      manualSelector: spec.manualSelector ?? false,
      completionMode: spec.completionMode ?? "NonIndexed",
      suspend: spec.suspend ?? false,
      podReplacementPolicy: spec.podReplacementPolicy ?? replaced,
    },
  };
}

function causesOf({ metadata, spec }: Shown): readonly Cause[] {
  const causes = [...jobSpecCauses(spec, "spec"), ...manualSelectorCauses(spec)];
  // An index's pod is called after it, and so is its host.
  const longest = `${metadata.name}-${(spec.completions ?? 1) - 1}`;
  if (spec.completionMode === "Indexed" && longest.length > 63) {
    const message = `Invalid value: "${metadata.name}": will not able to create pod: must be no more than 63 characters with its index`;
    causes.push({ reason: "FieldValueInvalid", field: "metadata.name", message });
  }
  return causes;
}

const fixedFields = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "successPolicy",
  "backoffLimitPerIndex",
  "managedBy",
] as const;

function updateCauses(before: Shown, after: Shown): readonly Cause[] {
  const changed: string[] = fixedFields.filter(
    (field) => !dequal(before.spec[field], after.spec[field]),
  );
  if (before.spec.completions !== after.spec.completions && !isElastic(before, after)) {
    changed.push("completions");
  }
  if (!dequal(fixedTemplate(before, before), fixedTemplate(after, before)))
    changed.push("template");
  return changed.map((field) => ({
    reason: "FieldValueInvalid",
    field: `spec.${field}`,
    message: "Invalid value: field is immutable",
  }));
}

/** An Indexed Job's completions may change together with its parallelism, and equal to it. */
const isElastic = (before: Shown, { spec }: Shown): boolean =>
  before.spec.completionMode === "Indexed" &&
  spec.completions !== undefined &&
  spec.completions === spec.parallelism &&
  before.spec.completions !== undefined;

/** What of the template must stay: while it is suspended and has not started, where it runs may change. */
function fixedTemplate({ spec }: Shown, before: Shown): unknown {
  const { template } = spec;
  if (before.spec.suspend !== true || before.status?.startTime !== undefined) return template;
  const { labels: _l, annotations: _a, ...metadata } = template.metadata;
  const {
    nodeSelector: _n,
    tolerations: _t,
    affinity: _f,
    schedulingGates: _g,
    ...rest
  } = template.spec;
  return { metadata, spec: rest };
}

const isTrue = (one: Shown, wanted: string): boolean =>
  one.status?.conditions?.some(({ type, status: is }) => type === wanted && is === "True") ?? false;

function statusText(one: Shown): string {
  for (const end of ["Complete", "Failed"]) if (isTrue(one, end)) return end;
  if (one.metadata.deletionTimestamp !== undefined) return "Terminating";
  for (const now of ["Suspended", "FailureTarget", "SuccessCriteriaMet"]) {
    if (isTrue(one, now)) return now;
  }
  return "Running";
}

function completionsText({ spec, status: is }: Shown): string {
  const { completions, parallelism = 1 } = spec;
  const of = parallelism > 1 ? `1 of ${parallelism}` : "1";
  return `${is?.succeeded ?? 0}/${completions ?? of}`;
}

function durationOf({ status: is }: Shown, now: EpochMs): string {
  if (is?.startTime === undefined) return "";
  const endedAt = is.completionTime === undefined ? now : Date.parse(is.completionTime);
  return durationText(endedAt - Date.parse(is.startTime));
}
