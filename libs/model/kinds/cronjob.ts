import * as z from "zod";
import { jobSpecCauses } from "../batch/job-causes.ts";
import { jobSpec } from "../batch/job-spec.ts";
import { parseSchedule, ScheduleFault } from "../cron/schedule.ts";
import { isTimeZone } from "../cron/time-zone.ts";
import type { Cause } from "../errors.ts";
import { atomicList, count, int64 } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { selectorText } from "../label-selector.ts";
import { type Metadata, templateMetadata } from "../metadata.ts";
import { objectReference } from "../references.ts";
import { ageOf, time } from "../time.ts";

/** A Job's name is its CronJob's, a dash, and the minute that it is due. */
const nameMax = 52;

const jobTemplate = z
  .strictObject({
    metadata: templateMetadata.prefault({}).meta({ proto: 1 }),
    spec: jobSpec.meta({ proto: 2 }),
  })
  .meta({ title: "batch.v1.JobTemplateSpec" });

const spec = z
  .strictObject({
    schedule: z.string().meta({ proto: 1, description: "In cron's format, such as 0 3 * * 1-5." }),
    timeZone: z
      .string()
      .optional()
      .meta({ proto: 8, description: "Of the schedule, such as Europe/Berlin; UTC when absent." }),
    startingDeadlineSeconds: int64.min(0).optional().meta({
      proto: 2,
      description: "Seconds after which a start that was missed is not made up for.",
    }),
    concurrencyPolicy: z.enum(["Allow", "Forbid", "Replace"]).default("Allow").meta({
      proto: 3,
      description: "What becomes of a start while an earlier Job still runs.",
    }),
    suspend: z
      .boolean()
      .default(false)
      .meta({ proto: 4, description: "Starts nothing while true." }),
    jobTemplate: jobTemplate.meta({ proto: 5, description: "What its Jobs are made from." }),
    successfulJobsHistoryLimit: count
      .default(3)
      .meta({ proto: 6, description: "Jobs that succeeded and are kept." }),
    failedJobsHistoryLimit: count
      .default(1)
      .meta({ proto: 7, description: "Jobs that failed and are kept." }),
  })
  .meta({ title: "batch.v1.CronJobSpec" });

const status = z
  .strictObject({
    active: z
      .array(objectReference)
      .optional()
      .meta({ proto: 1, ...atomicList, description: "Its Jobs that run." }),
    lastScheduleTime: time.optional().meta({ proto: 4 }),
    lastSuccessfulTime: time.optional().meta({ proto: 5 }),
  })
  .meta({ title: "batch.v1.CronJobStatus" });
export type CronJobStatus = z.output<typeof status>;

export const cronJob = defineKind({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  short: ["cj"],
  categories: ["all"],
  namespaced: true,
  description: "Starts Jobs at times of a schedule.",
  spec,
  status,
  validate: causesOf,
  columns: [
    { name: "Schedule", type: "string", read: (one) => one.spec.schedule },
    { name: "Timezone", type: "string", read: (one) => one.spec.timeZone ?? "<none>" },
    { name: "Suspend", type: "string", read: (one) => (one.spec.suspend ? "True" : "False") },
    { name: "Active", type: "integer", read: (one) => one.status?.active?.length ?? 0 },
    {
      name: "Last Schedule",
      type: "string",
      read: ({ status: is }, now) =>
        is?.lastScheduleTime === undefined ? "<none>" : ageOf(is.lastScheduleTime, now),
    },
    {
      name: "Containers",
      type: "string",
      priority: 1,
      read: (one) =>
        containersOf(one)
          .map(({ name }) => name)
          .join(","),
    },
    {
      name: "Images",
      type: "string",
      priority: 1,
      read: (one) =>
        containersOf(one)
          .map(({ image }) => image)
          .join(","),
    },
    {
      name: "Selector",
      type: "string",
      priority: 1,
      read: (one) => selectorText(one.spec.jobTemplate.spec.selector ?? {}),
    },
  ],
});
export type CronJob = ObjectOf<typeof cronJob>;

type Shown = { readonly metadata: Metadata; readonly spec: z.output<typeof spec> };

const containersOf = ({ spec: { jobTemplate: made } }: Pick<Shown, "spec">) =>
  made.spec.template.spec.containers;

function causesOf({ metadata, spec: { schedule, timeZone, jobTemplate: made } }: Shown): Cause[] {
  const causes: Cause[] = [];
  const invalid = (field: string, value: unknown, detail: string) =>
    causes.push({
      reason: "FieldValueInvalid",
      field,
      message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
    });
  if (metadata.name.length > nameMax) {
    invalid("metadata.name", metadata.name, `must be no more than ${nameMax} characters`);
  }
  const fault = scheduleFault(schedule);
  if (schedule === "") {
    causes.push({
      reason: "FieldValueRequired",
      field: "spec.schedule",
      message: "Required value",
    });
  } else if (/(^|\s)(CRON_)?TZ=/.test(schedule)) {
    const detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    invalid("spec.schedule", schedule, detail);
  } else if (fault !== undefined) invalid("spec.schedule", schedule, fault);
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const local = timeZone.toLowerCase() === "local";
    const explicit =
      "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    invalid("spec.timeZone", timeZone, local ? explicit : `unknown time zone ${timeZone}`);
  }
  if (made.spec.manualSelector === true) {
    const message = 'Unsupported value: true: supported values: "nil", "false"';
    const field = "spec.jobTemplate.spec.manualSelector";
    causes.push({ reason: "FieldValueNotSupported", field, message });
  }
  return [...causes, ...jobSpecCauses(made.spec, "spec.jobTemplate.spec")];
}

function scheduleFault(schedule: string): string | undefined {
  try {
    parseSchedule(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof ScheduleFault) return error.message;
    throw error;
  }
}
