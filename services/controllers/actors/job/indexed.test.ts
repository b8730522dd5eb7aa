import { describe, expect, test } from "vitest";
import { indexKey } from "./completion-index.ts";
import { indexed, nameOfIndex, simulateJob, type SimulatedJob } from "./simulated-job.ts";

const running = { now: "running" } as const;
const succeeded = { now: "succeeded" } as const;
const failed = { now: "failed" } as const;
const ofIndex = (run: SimulatedJob, index: number) => {
  const name = nameOfIndex(run, index);
  const found = run.live().find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error("it was found above");
  return found;
};
/** Of the pods that are live, rising. */
const indexesOf = (run: SimulatedJob) =>
  run
    .live()
    .map(({ metadata }) => Number(metadata.annotations?.[indexKey]))
    .toSorted((a, b) => a - b);

describe("an Indexed Job", () => {
  test("tells each pod its index", () => {
    const run = simulateJob(indexed(3));
    run.settle();
    expect(indexesOf(run)).toEqual([0, 1, 2]);
    const { metadata, spec } = ofIndex(run, 1);
    expect(metadata.name).toMatch(/^work-1-[a-z0-9]{5}$/);
    expect(metadata.labels?.[indexKey]).toBe("1");
    expect(spec.hostname).toBe("work-1");
    expect(spec.containers[0]?.env).toEqual([
      {
        name: "JOB_COMPLETION_INDEX",
        valueFrom: {
          fieldRef: { apiVersion: "v1", fieldPath: `metadata.annotations['${indexKey}']` },
        },
      },
    ]);
  });

  test("runs the lowest indexes that are left, and writes those that are done as ranges", () => {
    const run = simulateJob(indexed(6, { parallelism: 3 }));
    run.settle();
    run.become(nameOfIndex(run, 0), succeeded);
    run.become(nameOfIndex(run, 2), succeeded);
    run.settle();
    expect(run.self().status).toMatchObject({ completedIndexes: "0,2", succeeded: 2 });
    expect(indexesOf(run)).toEqual([1, 3, 4]);
    run.all(succeeded);
    expect(run.self().status?.completedIndexes).toBe("0-4");
    run.all(succeeded);
    expect(run.self().status).toMatchObject({ completedIndexes: "0-5", succeeded: 6 });
    expect(run.end()).toBe("Complete");
  });

  test("runs an index again whose pod failed", () => {
    const run = simulateJob(indexed(2));
    run.settle();
    run.become(nameOfIndex(run, 1), failed);
    run.settle();
    run.pass(10_000);
    run.settle();
    expect(indexesOf(run)).toEqual([0, 1]);
    expect(run.self().status).toMatchObject({ failed: 1 });
  });

  test("shrinks to fewer indexes", () => {
    const run = simulateJob(indexed(3));
    run.settle();
    run.become(nameOfIndex(run, 2), succeeded);
    run.settle();
    run.edit({ completions: 2, parallelism: 2 });
    run.settle();
    expect(indexesOf(run)).toEqual([0, 1]);
    run.all(succeeded);
    expect(run.self().status).toMatchObject({ completedIndexes: "0,1", succeeded: 2 });
    expect(run.end()).toBe("Complete");
  });

  test("fails an index beyond its own limit, and goes on with the others", () => {
    const run = simulateJob(indexed(2, { backoffLimitPerIndex: 1 }));
    run.settle();
    run.become(nameOfIndex(run, 0), failed);
    run.settle();
    // Its failure is kept with the pod until that has its successor.
    expect(run.self().status).not.toHaveProperty("failed");
    expect(indexesOf(run)).toEqual([1]);
    expect(run.wakeAt()).toBe(run.now() + 10_000);
    run.pass(10_000);
    run.settle();
    expect(run.self().status).toMatchObject({ failed: 1, failedIndexes: "" });
    const { annotations } = ofIndex(run, 0).metadata;
    expect(annotations?.["batch.kubernetes.io/job-index-failure-count"]).toBe("1");
    run.become(nameOfIndex(run, 0), failed);
    run.settle();
    expect(run.self().status).toMatchObject({ failed: 2, failedIndexes: "0" });
    expect(indexesOf(run)).toEqual([1]);
    run.all(succeeded);
    expect(run.condition("Failed")).toMatchObject({ reason: "FailedIndexes" });
    expect(run.self().status).toMatchObject({ completedIndexes: "1", failedIndexes: "0" });
  });

  test("ends at once beyond its maximum of failed indexes", () => {
    const run = simulateJob(indexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }));
    run.settle();
    run.all(failed, 1);
    expect(run.condition("FailureTarget")).toBeUndefined();
    run.all(failed, 1);
    run.clear();
    expect(run.condition("Failed")).toMatchObject({ reason: "MaxFailedIndexesExceeded" });
  });

  test("succeeds early when a rule of its success policy is met", () => {
    const rules = [{ succeededIndexes: "0,2", succeededCount: 1 }];
    const run = simulateJob(indexed(3, { successPolicy: { rules } }));
    run.settle();
    run.all(running);
    run.become(nameOfIndex(run, 1), succeeded);
    run.settle();
    expect(run.condition("SuccessCriteriaMet")).toBeUndefined();
    run.become(nameOfIndex(run, 2), succeeded);
    run.settle();
    expect(run.condition("SuccessCriteriaMet")).toMatchObject({ reason: "SuccessPolicy" });
    expect(run.live()).toEqual([]);
    expect(run.end()).toBeUndefined();
    run.clear();
    expect(run.condition("Complete")).toMatchObject({ reason: "SuccessPolicy" });
  });
});
