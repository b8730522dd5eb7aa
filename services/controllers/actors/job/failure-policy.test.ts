import { describe, expect, test } from "vitest";
import { indexed, nameOfIndex, simulateJob } from "./simulated-job.ts";

const running = { now: "running" } as const;

describe("a failure policy", () => {
  const onCodes = (action: string, values: readonly number[], operator = "In") => ({
    action,
    onExitCodes: { operator, values },
  });
  const policy = (...rules: readonly object[]) => ({ podFailurePolicy: { rules } });
  const exit = (exitCode: number) => ({ now: "failed", exitCode }) as const;

  test("fails the Job for an exit code that cannot get better", () => {
    const run = simulateJob(policy(onCodes("FailJob", [42])));
    run.settle();
    run.all(exit(42));
    expect(run.condition("Failed")).toMatchObject({
      reason: "PodFailurePolicy",
      message: expect.stringMatching(
        /^Container work for pod default\/work-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
      ) as string,
    });
  });

  test("takes the first rule that fits", () => {
    const run = simulateJob({
      backoffLimit: 1,
      ...policy(onCodes("Ignore", [1]), onCodes("Count", [1, 2]), onCodes("FailJob", [1], "NotIn")),
    });
    run.settle();
    for (const code of [1, 1, 1]) {
      run.all(exit(code));
      run.pass(360_000);
      run.settle();
    }
    expect(run.self().status).not.toHaveProperty("failed");
    run.all(exit(2));
    expect(run.self().status).toMatchObject({ failed: 1 });
    run.pass(360_000);
    run.settle();
    run.all(exit(3));
    expect(run.condition("Failed")).toMatchObject({ reason: "PodFailurePolicy" });
  });

  test("ignores disruptions", () => {
    const disrupted = { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] };
    const run = simulateJob({ backoffLimit: 0, ...policy(disrupted) });
    run.settle();
    run.all({ now: "failed", condition: "DisruptionTarget" });
    expect(run.end()).toBeUndefined();
    expect(run.self().status).not.toHaveProperty("failed");
  });

  test("fails an index alone", () => {
    const spec = { backoffLimitPerIndex: 5, ...policy(onCodes("FailIndex", [42])) };
    const run = simulateJob(indexed(2, spec));
    run.settle();
    run.become(nameOfIndex(run, 0), exit(42));
    run.settle();
    expect(run.self().status).toMatchObject({ failedIndexes: "0", failed: 1 });
    expect(run.end()).toBeUndefined();
  });

  test("counts what it ignores of an index apart", () => {
    const spec = { backoffLimitPerIndex: 0, ...policy(onCodes("Ignore", [7])) };
    const run = simulateJob(indexed(1, spec));
    run.settle();
    for (const seconds of [10, 20]) {
      run.all(exit(7));
      run.pass(seconds * 1_000 - 1);
      run.settle();
      expect(run.live()).toEqual([]);
      run.pass(1);
      run.settle();
    }
    expect(run.live()[0]?.metadata.annotations).toMatchObject({
      "batch.kubernetes.io/job-index-failure-count": "0",
      "batch.kubernetes.io/job-index-ignored-failure-count": "2",
    });
  });

  test("waits until a deleted pod has failed before it is replaced", () => {
    const run = simulateJob(policy(onCodes("FailJob", [42])));
    run.settle();
    run.all(running);
    run.all({ now: "deleted" });
    expect(run.live()).toEqual([]);
    expect(run.self().status).toMatchObject({ terminating: 1 });
    expect(run.self().status).not.toHaveProperty("failed");
    run.clear();
    expect(run.live()).toHaveLength(1);
    expect(run.self().status).toMatchObject({ failed: 1, terminating: 0 });
  });

  test("does not wait for a pod that was never bound", () => {
    const run = simulateJob(policy(onCodes("FailJob", [42])));
    run.settle();
    run.all({ now: "deleted" });
    expect(run.pods()).toHaveLength(1);
    expect(run.live()).toHaveLength(1);
  });
});
