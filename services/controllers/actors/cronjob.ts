import { cronJob, type CronJob, type CronJobStatus } from "../../../libs/model/kinds/cronjob.ts";
import { job, type Job } from "../../../libs/model/kinds/job.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  controller,
  create,
  type Decision,
  type EventNote,
  normal,
  remove,
  warning,
} from "../controller.ts";
import { dueOf, zoneOf } from "./cronjob/due.ts";
import { isScheduled, jobName, newJob } from "./cronjob/new-job.ts";
import { endOf } from "./job/conditions.ts";
import { controllerOf } from "./workload/claims.ts";

/** Bounds one transaction; the next turn goes on. */
export const deletesMax = 100;

export type World = {
  /** Those that it controls: its own, and those that users made of it. */
  readonly jobs: readonly Job[];
};
type CronJobDecision = Decision<Job, CronJob>;

/** Starts a Job at each time of the schedule, and keeps as many ended ones as it is to. */
export function decide(self: CronJob, { jobs }: World, now: EpochMs): CronJobDecision {
  const seen = seenOf(self, jobs);
  const old = surplusOf(self, jobs);
  const history = {
    writes: old.map((one) => remove(one, { propagationPolicy: "Background" })),
    events: [...seen.events, ...old.map(deleted)],
  };
  const rest = { ...history, status: seen.status, wakeAt: undefined };
  if (self.metadata.deletionTimestamp !== undefined || self.spec.suspend) return rest;

  const { dueAt, late, tooManyMissed, nextAt } = dueOf(self, now);
  if (dueAt === undefined) return { ...rest, wakeAt: nextAt };
  if (late) return { ...rest, events: [...rest.events, missed(dueAt)], wakeAt: nextAt };
  const scheduled = { ...seen.status, lastScheduleTime: timeOf(dueAt) };
  const name = jobName(self, dueAt);
  // Two starts in one minute, as of `@every 20s`, are one Job.
  if (jobs.some(({ metadata }) => metadata.name === name)) {
    return { ...rest, status: scheduled, wakeAt: nextAt };
  }
  const { concurrencyPolicy } = self.spec;
  if (concurrencyPolicy === "Forbid" && seen.active.length > 0) {
    const message =
      "Not starting job because prior execution is running and concurrency policy is Forbid";
    return {
      ...rest,
      events: [...rest.events, normal("JobAlreadyActive", message)],
      wakeAt: nextAt, // Once that has ended, this start is made up for.
    };
  }
  const replaced = concurrencyPolicy === "Replace" ? seen.active.slice(0, deletesMax) : [];
  return {
    writes: [
      ...history.writes,
      ...replaced.map((one) => remove(one, { propagationPolicy: "Background" })),
      create(newJob(self, zoneOf(self), dueAt)),
    ],
    // The new Job is listed as active by the next turn, which sees it and its uid.
    status: scheduled,
    wakeAt: nextAt,
    events: [
      ...history.events,
      ...replaced.map(deleted),
      ...(tooManyMissed ? [tooMany] : []),
      normal("SuccessfulCreate", `Created job ${name}`),
    ],
  };
}

const deleted = ({ metadata }: Job) => normal("SuccessfulDelete", `Deleted job ${metadata.name}`);
const missed = (dueAt: EpochMs) =>
  warning("MissSchedule", `Missed scheduled time to start a job: ${new Date(dueAt).toUTCString()}`);
const tooMany = warning(
  "TooManyMissedTimes",
  "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
);

/** What its Jobs say: which run, when one last succeeded, and what is news in that. */
function seenOf(self: CronJob, jobs: readonly Job[]) {
  const active = jobs
    .filter((one) => isScheduled(one) && endOf(one) === undefined && !isEnding(one))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const succeeded = jobs.flatMap(({ status }) => status?.completionTime ?? []);
  const latest = [self.status?.lastSuccessfulTime ?? [], succeeded].flat().toSorted().at(-1);
  const { active: _before, lastSuccessfulTime: _latest, ...kept } = self.status ?? {};
  const status: CronJobStatus = {
    ...kept,
    ...(active.length > 0 && { active: active.map(referenceTo) }),
    ...(latest !== undefined && { lastSuccessfulTime: latest }),
  };
  return { active, status, events: newsOf(self, jobs) };
}

const isEnding = ({ metadata }: Job): boolean => metadata.deletionTimestamp !== undefined;

function newsOf({ status }: CronJob, jobs: readonly Job[]): readonly EventNote[] {
  const byUid = new Map(jobs.map((one) => [one.metadata.uid, one]));
  return (status?.active ?? []).flatMap(({ uid = "", name = "" }) => {
    const found = byUid.get(uid);
    if (found === undefined) return [normal("MissingJob", `Active job went missing: ${name}`)];
    const end = endOf(found);
    if (end === undefined) return [];
    return [normal("SawCompletedJob", `Saw completed job: ${name}, condition: ${end.type}`)];
  });
}

const referenceTo = ({ apiVersion, kind, metadata }: Job) => {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, namespace, name, uid };
};

/** Ended Jobs beyond the limits, the oldest first. */
function surplusOf({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const ended = (type: "Complete" | "Failed") =>
    jobs
      .filter((one) => endOf(one)?.type === type && !isEnding(one))
      .toSorted((a, b) => (startedAt(a) < startedAt(b) ? -1 : 1));
  const beyond = (all: readonly Job[], limit: number) =>
    all.slice(0, Math.max(all.length - limit, 0));
  return [
    ...beyond(ended("Complete"), spec.successfulJobsHistoryLimit),
    ...beyond(ended("Failed"), spec.failedJobsHistoryLimit),
  ].slice(0, deletesMax);
}

const startedAt = ({ status, metadata }: Job): string =>
  `${status?.startTime ?? metadata.creationTimestamp ?? ""} ${metadata.name}`;

export const cronJobs = controller({
  kind: cronJob,
  owns: [job],
  // A Job's name follows from its minute (S2); and a turn that starts one moves lastScheduleTime, so
  // that the CronJob itself is in the transaction: no two starts are decided from one status.
  derivedNames: true,
  read(view, self): World {
    const { namespace, uid } = self.metadata;
    const jobs = view.list(job, { namespace, ownerUid: uid });
    return { jobs: jobs.filter((one) => controllerOf(one)?.uid === uid) };
  },
  decide,
});
