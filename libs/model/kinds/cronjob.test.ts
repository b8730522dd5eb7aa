import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { cronJob } from "./cronjob.ts";

const template = {
  spec: { restartPolicy: "OnFailure", containers: [{ name: "work", image: "work:v1" }] },
};
const jobTemplate = { spec: { template } };
const aCronJob = (spec: object = {}, metadata: object = {}) =>
  parse(cronJob, {
    metadata: { name: "nightly", ...metadata },
    spec: { schedule: "0 3 * * *", jobTemplate, ...spec },
  });

function refused(spec: object, metadata: object = {}): readonly string[] {
  try {
    aCronJob(spec, metadata);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}

describe("a CronJob", () => {
  test("has Kubernetes' defaults, and leaves its Jobs' own to its Jobs", () => {
    const { jobTemplate: made, ...spec } = aCronJob().spec;
    expect(spec).toEqual({
      schedule: "0 3 * * *",
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    expect(Object.keys(made.spec)).toEqual(["template"]);
  });

  test("takes macros and time zones", () => {
    expect(refused({ schedule: "@every 1h30m", timeZone: "Europe/Berlin" })).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["no schedule", { schedule: "" }, "spec.schedule"],
    ["what is no schedule", { schedule: "at noon" }, "spec.schedule"],
    ["a zone within the schedule", { schedule: "CRON_TZ=UTC 0 3 * * *" }, "spec.schedule"],
    ["an unknown zone", { timeZone: "Mars/Olympus" }, "spec.timeZone"],
    ["the machine's zone", { timeZone: "Local" }, "spec.timeZone"],
    ["an unknown policy", { concurrencyPolicy: "Queue" }, "spec.concurrencyPolicy"],
    [
      "a selector of the user's",
      { jobTemplate: { spec: { template, manualSelector: true } } },
      "spec.jobTemplate.spec.manualSelector",
    ],
    [
      "a Job that is wrong",
      { jobTemplate: { spec: { template, completionMode: "Indexed" } } },
      "spec.jobTemplate.spec.completions",
    ],
  ])("is refused for %s", (_name, spec, field) => {
    expect(refused(spec)).toEqual([field]);
  });

  test("is refused for a name that leaves no room for the minute", () => {
    expect(refused({}, { name: "a".repeat(53) })).toEqual(["metadata.name"]);
  });
});
