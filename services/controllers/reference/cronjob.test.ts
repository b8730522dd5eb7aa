import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { cronJob } from "../../../libs/model/kinds/cronjob.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import { once } from "./job-run.ts";
import { failed, type Report, running, succeeded } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import {
  apiReference,
  type Case,
  concept,
  kubernetesFile,
  referenceTable,
} from "./reference-table.ts";

const page = concept("cron-jobs/");
const syntax = `${page}#schedule-syntax`;
const deadline = `${page}#starting-deadline`;
const concurrency = `${page}#concurrency-policy`;
const history = `${page}#jobs-history-limits`;
const zones = `${page}#time-zones`;
const fields = apiReference("cron-job-v1/#CronJobStatus");
const robfig = "https://pkg.go.dev/github.com/robfig/cron/v3#hdr-Time_zones";
const scheduled = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const minutes = 60;
const hours = 60 * minutes;
const days = 24 * hours;

/** It is midnight, the first day of 2026, UTC: a Thursday. */
const make = (run: ReferenceCluster, spec: object = {}, name = "tick") => {
  const jobTemplate = { spec: { template: once() } };
  run.create(cronJob, name, { schedule: "* * * * *", jobTemplate, ...spec });
  run.settle();
};
const self = (run: ReferenceCluster) => run.get(cronJob, "tick");
const edit = (run: ReferenceCluster, spec: object) => {
  run.edit(cronJob, "tick", { ...spec });
  run.settle();
};
/** The control plane did nothing for so long, and then does. */
const after = (run: ReferenceCluster, seconds: number) => {
  run.pass(seconds);
  run.settle();
};
const until = (run: ReferenceCluster, time: string) =>
  run.pass((Date.parse(time) - run.now()) / 1_000);
/** The times of the Jobs that there are. */
const times = (run: ReferenceCluster) =>
  run.list(job).map(({ metadata }) => metadata.annotations?.[scheduled] ?? "");
const nameAt = (time: string, name = "tick") => `${name}-${Date.parse(time) / 60_000}`;
/** The first so many Jobs' pods become so. */
const tell = (run: ReferenceCluster, said: Report, count = 1) => {
  for (const one of run.live().slice(0, count)) run.report(one, said);
  run.settle();
};
const reasons = (run: ReferenceCluster) => run.notes.map(({ reason }) => reason);

/** A schedule, and the hours that pass until its first two starts. */
const schedule = (text: string, first: number, second: number, what: string): Case => ({
  name: `"${text}" is ${what}`,
  source: syntax,
  check(run) {
    make(run, { schedule: text });
    expect([run.wake(), run.wake()]).toEqual([first, second]);
    expect(run.list(job)).toHaveLength(2);
  },
});

const scheduleCases: readonly Case[] = [
  schedule("* * * * *", 60, 60, "every minute"),
  schedule("0 3 * * 1", 4 * days + 3 * hours, 7 * days, "weekly on a Monday at 3"),
  schedule("0 3 * * mon", 4 * days + 3 * hours, 7 * days, "the same by name"),
  schedule("0 0-23/2 * * *", 2 * hours, 2 * hours, "every two hours, as a step of a range"),
  schedule("0 */2 * * ?", 2 * hours, 2 * hours, "the same as a step of any, and ? is any too"),
  schedule("@hourly", hours, hours, "at the beginning of every hour"),
  schedule("@daily", days, days, "at every midnight"),
  schedule("@weekly", 3 * days, 7 * days, "at midnight on Sunday"),
  schedule("@monthly", 31 * days, 28 * days, "at midnight of the first day of the month"),
  schedule("@yearly", 365 * days, 365 * days, "at midnight of 1 January"),
  {
    name: "a schedule that is none is refused, and so is a name longer than 52 characters",
    source: syntax,
    check(run) {
      expect(refusalOf(() => make(run, { schedule: "* * * *" })).message).toContain("schedule");
      const long = refusalOf(() => make(run, {}, "t".repeat(53)));
      expect(long.message).toContain("must be no more than 52 characters");
      make(run, {}, "t".repeat(52));
      expect(run.list(cronJob)).toHaveLength(1);
    },
  },
  {
    name: "a Job is named for its minute, is its own, and has the template's metadata and its time",
    source: apiReference("cron-job-v1/#CronJobSpec"),
    check(run) {
      const metadata = { labels: { team: "a" }, annotations: { note: "b" } };
      make(run, { jobTemplate: { metadata, spec: { template: once(), backoffLimit: 2 } } });
      run.wake();
      const made = run.get(job, nameAt("2026-01-01T00:01:00Z"));
      expect(made.metadata).toMatchObject({
        labels: { team: "a" },
        annotations: { note: "b", [scheduled]: "2026-01-01T00:01:00Z" },
        ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
      });
      expect(made.spec.backoffLimit).toBe(2);
    },
  },
  {
    name: "a Job that someone deletes is not made again for its time",
    source: kubernetesFile("pkg/controller/cronjob/cronjob_controllerv2.go"),
    check(run) {
      make(run);
      run.wake();
      run.remove(job, nameAt("2026-01-01T00:01:00Z"));
      after(run, 30);
      expect(run.list(job)).toEqual([]);
      expect(run.wake()).toBe(30);
      expect(times(run)).toEqual(["2026-01-01T00:02:00Z"]);
    },
  },
];

const policyCases: readonly Case[] = [
  {
    name: "Allow, the default, lets Jobs run concurrently",
    source: concurrency,
    check(run) {
      make(run);
      expect(self(run).spec.concurrencyPolicy).toBe("Allow");
      run.wake();
      run.wake();
      expect(run.live()).toHaveLength(2);
      expect(self(run).status?.active).toHaveLength(2);
    },
  },
  {
    name: "Forbid skips a run while the one before has not finished, and makes up for it after that",
    source: concurrency,
    check(run) {
      make(run, { concurrencyPolicy: "Forbid" });
      run.wake();
      tell(run, running);
      run.wake();
      expect(times(run)).toEqual(["2026-01-01T00:01:00Z"]);
      expect(reasons(run)).toContain("JobAlreadyActive");
      run.pass(30);
      tell(run, succeeded);
      expect(times(run)).toEqual(["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
    },
  },
  {
    name: "Forbid makes up for a run only within its starting deadline",
    source: concurrency,
    check(run) {
      make(run, { concurrencyPolicy: "Forbid", startingDeadlineSeconds: 20 });
      run.wake();
      tell(run, running);
      run.wake();
      run.pass(30);
      tell(run, succeeded);
      expect(times(run)).toEqual(["2026-01-01T00:01:00Z"]);
      expect(run.wake()).toBe(30);
      expect(times(run)).toHaveLength(2);
    },
  },
  {
    name: "Replace replaces the Job that runs with the new one",
    source: concurrency,
    check(run) {
      make(run, { concurrencyPolicy: "Replace" });
      run.wake();
      tell(run, running);
      run.wake();
      expect(times(run)).toEqual(["2026-01-01T00:02:00Z"]);
      expect(run.ending()).toHaveLength(1);
      expect(run.live()).toHaveLength(1);
    },
  },
  {
    name: "the policy is for the Jobs of the same CronJob alone",
    source: concurrency,
    check(run) {
      make(run, { concurrencyPolicy: "Forbid" });
      make(run, { concurrencyPolicy: "Forbid" }, "tock");
      run.wake();
      expect(run.list(job)).toHaveLength(2);
    },
  },
  {
    name: "a start that is late by no more than startingDeadlineSeconds is made up for",
    source: deadline,
    check(run) {
      make(run, { schedule: "0 * * * *", startingDeadlineSeconds: 200 });
      after(run, hours + 200);
      expect(times(run)).toEqual(["2026-01-01T01:00:00Z"]);
    },
  },
  {
    name: "one that is later is skipped, and the next ones are still scheduled",
    source: deadline,
    check(run) {
      make(run, { schedule: "0 * * * *", startingDeadlineSeconds: 200 });
      after(run, hours + 201);
      expect(run.list(job)).toEqual([]);
      expect(reasons(run)).toContain("MissSchedule");
      run.wake();
      expect(times(run)).toEqual(["2026-01-01T02:00:00Z"]);
    },
  },
  {
    name: "of several that were missed the last one is made up for, once",
    source: kubernetesFile("pkg/controller/cronjob/utils.go"),
    check(run) {
      make(run);
      after(run, 10 * minutes + 30);
      after(run, 10);
      expect(times(run)).toEqual(["2026-01-01T00:10:00Z"]);
      expect(reasons(run)).not.toContain("TooManyMissedTimes");
    },
  },
  {
    name: "more than 100 missed starts are told of, and the last one is made up for all the same",
    source: kubernetesFile("pkg/controller/cronjob/utils.go"),
    check(run) {
      make(run);
      after(run, 100 * minutes);
      expect(reasons(run)).not.toContain("TooManyMissedTimes");
      after(run, 101 * minutes);
      expect(reasons(run)).toContain("TooManyMissedTimes");
      expect(times(run)).toEqual(["2026-01-01T01:40:00Z", "2026-01-01T03:21:00Z"]);
    },
  },
  {
    name: "with startingDeadlineSeconds only what was missed within these counts",
    source: `${page}#job-creation`,
    check(run) {
      until(run, "2026-01-01T08:29:00Z");
      make(run, { startingDeadlineSeconds: 200 });
      until(run, "2026-01-01T10:22:00Z");
      run.settle();
      expect(times(run)).toEqual(["2026-01-01T10:22:00Z"]);
      expect(reasons(run)).not.toContain("TooManyMissedTimes");
    },
  },
  {
    name: "suspended it starts nothing, and Jobs that it started run on",
    source: `${page}#schedule-suspension`,
    check(run) {
      make(run);
      run.wake();
      edit(run, { suspend: true });
      after(run, 10 * minutes);
      expect(run.nextWake()).toBeUndefined();
      expect(times(run)).toEqual(["2026-01-01T00:01:00Z"]);
      expect(run.live()).toHaveLength(1);
    },
  },
  {
    name: "what was missed while it was suspended is scheduled at once when it is not any more",
    source: `${page}#schedule-suspension`,
    check(run) {
      make(run, { schedule: "0 * * * *", suspend: true });
      after(run, 2 * hours + 30 * minutes);
      edit(run, { suspend: false });
      expect(times(run)).toEqual(["2026-01-01T02:00:00Z"]);
    },
  },
  {
    name: "a change is for new Jobs: those that run are as they were",
    source: `${page}#modifying-a-cronjob`,
    check(run) {
      make(run);
      run.wake();
      edit(run, { jobTemplate: { spec: { template: once(), backoffLimit: 1 } } });
      run.wake();
      expect(run.list(job).map(({ spec }) => spec.backoffLimit)).toEqual([6, 1]);
    },
  },
  {
    name: "deleted it takes its Jobs and their pods along",
    source:
      "https://kubernetes.io/docs/tasks/job/automated-tasks-with-cron-jobs/#deleting-a-cronjob",
    check(run) {
      make(run);
      run.wake();
      run.wake();
      run.remove(cronJob, "tick");
      run.settle();
      expect(run.list(job)).toEqual([]);
      expect(run.pods()).toEqual([]);
    },
  },
];

const historyCases: readonly Case[] = [
  {
    name: "3 Jobs that succeeded and 1 that failed are kept by default, the latest",
    source: history,
    check(run) {
      make(run, { jobTemplate: { spec: { template: once(), backoffLimit: 0 } } });
      for (const said of [failed, failed, succeeded, succeeded, succeeded, succeeded]) {
        run.wake();
        tell(run, said);
      }
      expect(times(run).map((time) => time.slice(14, 16))).toEqual(["02", "04", "05", "06"]);
    },
  },
  {
    name: "limits of 0 keep no Job that has finished",
    source: history,
    check(run) {
      make(run, {
        successfulJobsHistoryLimit: 0,
        failedJobsHistoryLimit: 0,
        jobTemplate: { spec: { template: once(), backoffLimit: 0 } },
      });
      for (const said of [succeeded, failed]) {
        run.wake();
        tell(run, said);
        expect(run.list(job)).toEqual([]);
      }
    },
  },
  {
    name: "the status lists what runs, when it last started something, and when that last succeeded",
    source: fields,
    check(run) {
      make(run);
      run.wake();
      const [made] = run.list(job);
      expect(self(run).status).toEqual({
        active: [
          {
            apiVersion: "batch/v1",
            kind: "Job",
            namespace: "default",
            name: made?.metadata.name,
            uid: made?.metadata.uid,
          },
        ],
        lastScheduleTime: "2026-01-01T00:01:00Z",
      });
      run.pass(30);
      tell(run, succeeded);
      expect(self(run).status).toEqual({
        lastScheduleTime: "2026-01-01T00:01:00Z",
        lastSuccessfulTime: "2026-01-01T00:01:30Z",
      });
      expect(reasons(run)).toContain("SawCompletedJob");
    },
  },
];

const zoneCases: readonly Case[] = [
  {
    name: "a schedule is read in its time zone, and a Job says its time with that zone's offset",
    source: zones,
    check(run) {
      make(run, { schedule: "0 9 * * *", timeZone: "America/New_York" });
      expect(run.wake()).toBe(14 * hours);
      expect(times(run)).toEqual(["2026-01-01T09:00:00-05:00"]);
    },
  },
  {
    name: "an unknown zone, Local, and TZ in the schedule are refused",
    source: `${page}#unsupported-timezone-specification`,
    check(run) {
      const zone = (timeZone: string) => refusalOf(() => make(run, { timeZone })).message;
      expect(zone("Mars/Olympus")).toContain("unknown time zone Mars/Olympus");
      expect(zone("Local")).toContain("timeZone must be an explicit time zone");
      for (const text of ["TZ=UTC * * * * *", "CRON_TZ=UTC * * * * *"]) {
        const refusal = refusalOf(() => make(run, { schedule: text }));
        expect(refusal.message).toContain("cannot use TZ or CRON_TZ in schedule");
      }
    },
  },
  {
    name: "a time that daylight saving skips is skipped",
    source: robfig,
    check(run) {
      until(run, "2026-03-28T12:00:00Z");
      make(run, { schedule: "30 2 * * *", timeZone: "Europe/Berlin" });
      run.wake();
      expect(times(run)).toEqual(["2026-03-30T02:30:00+02:00"]);
    },
  },
  {
    name: "a time that daylight saving repeats starts a Job each time",
    source: robfig,
    check(run) {
      until(run, "2026-10-24T12:00:00Z");
      make(run, { schedule: "30 2 * * *", timeZone: "Europe/Berlin" });
      run.wake();
      expect(run.wake()).toBe(hours);
      run.wake();
      expect(times(run)).toEqual([
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-26T02:30:00+01:00",
      ]);
    },
  },
  {
    name: "across a change of daylight saving a daily start keeps its local hour",
    source: zones,
    check(run) {
      until(run, "2026-03-28T12:00:00Z");
      make(run, { schedule: "0 9 * * *", timeZone: "Europe/Berlin" });
      expect(run.wake()).toBe(19 * hours);
      expect(times(run)).toEqual(["2026-03-29T09:00:00+02:00"]);
      expect(run.wake()).toBe(24 * hours);
    },
  },
];

referenceTable("a CronJob", [...scheduleCases, ...policyCases, ...historyCases, ...zoneCases]);
