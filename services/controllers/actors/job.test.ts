import { describe, expect, test } from "vitest";
import { job } from "../../../libs/model/kinds/job.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { aPod } from "../fixtures.ts";
import { indexKey } from "./job/completion-index.ts";
import { simulateJob, type SimulatedJob } from "./job/simulated-job.ts";
import { isTracked, trackingFinalizer } from "./job/tracking.ts";
import { countedMax, podsMax } from "./job.ts";

const running = { now: "running" } as const;
const succeeded = { now: "succeeded" } as const;
const failed = { now: "failed" } as const;
const indexed = (completions: number, more: object = {}) => ({
  completionMode: "Indexed",
  completions,
  parallelism: completions,
  ...more,
});
const ofIndex = (run: SimulatedJob, index: number) => {
  const found = run
    .live()
    .find(({ metadata }) => metadata.annotations?.[indexKey] === String(index));
  if (found === undefined) throw new Error(`no pod of index ${index} is live`);
  return found;
};
/** Of the pods that are live, rising. */
const indexesOf = (run: SimulatedJob) =>
  run
    .live()
    .map(({ metadata }) => Number(metadata.annotations?.[indexKey]))
    .toSorted((a, b) => a - b);

describe("a Job", () => {
  test("runs as many pods at once as it may, until enough have succeeded", () => {
    const run = simulateJob({ completions: 3, parallelism: 2 });
    run.settle();
    expect(run.live()).toHaveLength(2);
    run.all(running);
    expect(run.self().status).toMatchObject({ active: 2, ready: 2, terminating: 0 });
    run.all(succeeded);
    expect(run.live()).toHaveLength(1);
    expect(run.self().status).toMatchObject({ active: 1, succeeded: 2 });
    run.pass(5_000);
    run.all(succeeded);
    expect(run.self().status).toMatchObject({
      succeeded: 3,
      startTime: "2026-01-01T00:00:00Z",
      completionTime: "2026-01-01T00:00:05Z",
      uncountedTerminatedPods: {},
    });
    expect(run.condition("SuccessCriteriaMet")).toMatchObject({ reason: "CompletionsReached" });
    expect(run.condition("Complete")).toMatchObject({ status: "True" });
    expect(run.pods()).toHaveLength(3); // They are kept, for their logs.
    expect(run.pods().filter(isTracked)).toEqual([]);
    expect(run.notes).toEqual([
      "SuccessfulCreate",
      "SuccessfulCreate",
      "SuccessfulCreate",
      "Completed",
    ]);
  });

  test("rests once all is as wanted", () => {
    const run = simulateJob({ completions: 2, parallelism: 2 });
    run.settle();
    const { revision } = run.cluster.view;
    expect(run.turn()).toBeUndefined();
    run.all(succeeded);
    const ended = run.cluster.view.revision;
    expect(run.turn()).toBeUndefined();
    expect(run.cluster.view.revision).toBe(ended);
    expect(ended).toBeGreaterThan(revision);
  });

  test("marks its pods, holds them until they are counted, and knows them by its uid alone", () => {
    const run = simulateJob({}, { app: "a" });
    run.settle();
    const [one] = run.pods();
    const { uid } = run.self().metadata;
    expect(one?.metadata.labels).toEqual({
      app: "a",
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": "work",
      "controller-uid": uid,
      "job-name": "work",
    });
    expect(one?.metadata.finalizers).toEqual([trackingFinalizer]);
    expect(run.self().spec.selector).toEqual({
      matchLabels: { "batch.kubernetes.io/controller-uid": uid },
    });
  });

  test("without a number of completions ends when one has succeeded and the others have ended", () => {
    const run = simulateJob({ parallelism: 3 });
    run.settle();
    run.all(succeeded, 1);
    expect(run.live()).toHaveLength(2);
    expect(run.end()).toBeUndefined();
    run.all(succeeded);
    expect(run.end()).toBe("Complete");
    expect(run.self().status?.succeeded).toBe(3);
  });

  test("of no completions is complete", () => {
    const run = simulateJob({ completions: 0 });
    run.settle();
    expect(run.end()).toBe("Complete");
    expect(run.pods()).toEqual([]);
  });

  test("waits longer after each failure, and not at all after a deletion", () => {
    const run = simulateJob();
    run.settle();
    for (const seconds of [10, 20, 40]) {
      run.all(failed);
      expect(run.live()).toEqual([]);
      expect(run.wakeAt()).toBe(run.now() + seconds * 1_000);
      run.pass(seconds * 1_000 - 1);
      run.settle();
      expect(run.live()).toEqual([]);
      run.pass(1);
      run.settle();
      expect(run.live()).toHaveLength(1);
    }
    run.all(running);
    run.all({ now: "deleted" });
    expect(run.live()).toHaveLength(1);
    expect(run.self().status).toMatchObject({ failed: 4, terminating: 1 });
    run.clear();
    expect(run.self().status).toMatchObject({ failed: 4, terminating: 0 });
  });

  test("fails beyond its limit of failures, and takes the other pods along", () => {
    const run = simulateJob({ completions: 2, parallelism: 2, backoffLimit: 0 });
    run.settle();
    run.all(running);
    run.all(failed, 1);
    expect(run.condition("FailureTarget")).toMatchObject({ reason: "BackoffLimitExceeded" });
    expect(run.end()).toBeUndefined();
    expect(run.live()).toEqual([]);
    run.clear();
    expect(run.condition("Failed")).toMatchObject({
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
    });
    expect(run.self().status).toMatchObject({ failed: 2, terminating: 0 });
    expect(run.self().status).not.toHaveProperty("completionTime");
    expect(run.notes).toContain("BackoffLimitExceeded");
  });

  test("counts restarts where pods restart in place", () => {
    const spec = { restartPolicy: "OnFailure", containers: [{ name: "work", image: "work:v1" }] };
    const run = simulateJob({ backoffLimit: 2, template: { spec } });
    run.settle();
    run.all({ now: "running", restarts: 1 });
    expect(run.condition("FailureTarget")).toBeUndefined();
    run.all({ now: "running", restarts: 2 });
    expect(run.condition("FailureTarget")).toMatchObject({ reason: "BackoffLimitExceeded" });
  });

  test("fails at its deadline, which a suspension stops", () => {
    const run = simulateJob({ activeDeadlineSeconds: 60 });
    run.settle();
    expect(run.wakeAt()).toBe(run.now() + 60_000);
    run.edit({ suspend: true });
    run.settle();
    expect(run.wakeAt()).toBeUndefined();
    run.pass(100_000);
    run.edit({ suspend: false });
    run.settle();
    expect(run.wakeAt()).toBe(run.now() + 60_000);
    run.pass(60_000);
    run.settle();
    run.clear();
    expect(run.condition("Failed")).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("that is suspended takes its pods back and does not count them", () => {
    const run = simulateJob({ completions: 3, parallelism: 2 });
    run.settle();
    run.all(running, 1); // The other one is unbound, and goes at once.
    run.edit({ suspend: true });
    run.settle();
    expect(run.pods()).toHaveLength(1);
    expect(run.condition("Suspended")).toMatchObject({ status: "True", reason: "JobSuspended" });
    run.clear();
    expect(run.pods()).toEqual([]);
    expect(run.self().status).not.toHaveProperty("failed");
    run.pass(1_000);
    run.edit({ suspend: false });
    run.settle();
    expect(run.condition("Suspended")).toMatchObject({ status: "False", reason: "JobResumed" });
    expect(run.self().status?.startTime).toBe("2026-01-01T00:00:01Z");
    expect(run.live()).toHaveLength(2);
    expect(run.notes).toEqual(expect.arrayContaining(["Suspended", "Resumed", "SuccessfulDelete"]));
  });

  test("that is created suspended does not start", () => {
    const run = simulateJob({ suspend: true });
    run.settle();
    expect(run.pods()).toEqual([]);
    expect(run.self().status).not.toHaveProperty("startTime");
  });

  test("takes back what is too much when its parallelism shrinks", () => {
    const run = simulateJob({ completions: 5, parallelism: 3 });
    run.settle();
    run.all(running);
    run.edit({ parallelism: 1 });
    run.settle();
    expect(run.live()).toHaveLength(1);
    run.clear();
    expect(run.self().status).toMatchObject({ active: 1 });
    expect(run.self().status).not.toHaveProperty("failed");
  });

  test("is deleted with its time to live", () => {
    const run = simulateJob({ ttlSecondsAfterFinished: 30 });
    run.settle();
    run.all(succeeded);
    expect(run.wakeAt()).toBe(run.now() + 30_000);
    run.pass(30_000);
    run.settle();
    expect(run.self().metadata).toMatchObject({ finalizers: ["foregroundDeletion"] });
    expect(run.self().metadata.deletionTimestamp).toBeDefined();
  });

  test("of another controller is left alone", () => {
    const run = simulateJob({ managedBy: "example.dev/other" });
    run.settle();
    expect(run.pods()).toEqual([]);
    expect(run.self().status).toBeUndefined();
  });

  test("makes and counts in bounded transactions", () => {
    const size = countedMax + 50;
    const run = simulateJob({ completions: size, parallelism: size });
    run.turn();
    expect(run.live()).toHaveLength(podsMax);
    run.settle();
    expect(run.live()).toHaveLength(size);
    for (const { metadata } of run.live()) run.become(metadata.name, succeeded);
    run.turn();
    expect(run.self().status?.succeeded).toBe(countedMax);
    expect(run.end()).toBeUndefined();
    run.settle();
    expect(run.self().status?.succeeded).toBe(size);
    expect(run.end()).toBe("Complete");
    expect(run.pods()).toHaveLength(size);
  });

  test("adopts what its own selector selects, and counts it", () => {
    const labels = { app: "a" };
    const manual = { manualSelector: true, selector: { matchLabels: labels } };
    const template = {
      metadata: { labels },
      spec: { restartPolicy: "Never", containers: [{ name: "work", image: "work:v1" }] },
    };
    const run = simulateJob({ ...manual, template });
    run.cluster.put(pod, aPod("stray", { metadata: { labels } }));
    run.settle();
    expect(run.live().map(({ metadata }) => metadata.name)).toEqual(["stray"]);
    run.all(succeeded);
    expect(run.end()).toBe("Complete");
  });
});

describe("a pod of a Job", () => {
  test("is let go when its Job is gone (O7)", () => {
    const run = simulateJob();
    run.settle();
    run.all(running);
    run.remove(run.self());
    expect(run.find()).toBeUndefined();
    run.settle();
    expect(run.pods().filter(isTracked)).toEqual([]);
  });

  test("is let go when its Job is being deleted", () => {
    const run = simulateJob();
    run.settle();
    const held = { ...run.self().metadata, finalizers: ["example.dev/hold"] };
    run.cluster.put(job, { ...run.self(), metadata: held });
    run.remove(run.self());
    run.settle();
    expect(run.self().metadata.deletionTimestamp).toBeDefined();
    expect(run.pods().filter(isTracked)).toEqual([]);
  });

  test("has failed when its node is gone, and is replaced", () => {
    const run = simulateJob({
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }],
      },
    });
    run.settle();
    run.all(running);
    const [lost] = run.live();
    const [key, expect_] = ["nodes._.n1", run.cluster.view.raw.revisionOf("nodes._.n1")];
    run.cluster.commit([{ op: "delete", key, expect: expect_, last: new Uint8Array() }]);
    run.settle();
    expect(run.cluster.view.get(node, undefined, "n1")).toBeUndefined();
    expect(run.pods().some(({ metadata }) => metadata.name === lost?.metadata.name)).toBe(false);
    run.pass(10_000);
    run.settle();
    expect(run.live()).toHaveLength(1);
    expect(run.self().status).not.toHaveProperty("failed");
  });
});

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
    run.become(ofIndex(run, 0).metadata.name, succeeded);
    run.become(ofIndex(run, 2).metadata.name, succeeded);
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
    run.become(ofIndex(run, 1).metadata.name, failed);
    run.settle();
    run.pass(10_000);
    run.settle();
    expect(indexesOf(run)).toEqual([0, 1]);
    expect(run.self().status).toMatchObject({ failed: 1 });
  });

  test("shrinks to fewer indexes", () => {
    const run = simulateJob(indexed(3));
    run.settle();
    run.become(ofIndex(run, 2).metadata.name, succeeded);
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
    run.become(ofIndex(run, 0).metadata.name, failed);
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
    run.become(ofIndex(run, 0).metadata.name, failed);
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
    run.become(ofIndex(run, 1).metadata.name, succeeded);
    run.settle();
    expect(run.condition("SuccessCriteriaMet")).toBeUndefined();
    run.become(ofIndex(run, 2).metadata.name, succeeded);
    run.settle();
    expect(run.condition("SuccessCriteriaMet")).toMatchObject({ reason: "SuccessPolicy" });
    expect(run.live()).toEqual([]);
    expect(run.end()).toBeUndefined();
    run.clear();
    expect(run.condition("Complete")).toMatchObject({ reason: "SuccessPolicy" });
  });
});

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
    run.become(ofIndex(run, 0).metadata.name, exit(42));
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
    expect(ofIndex(run, 0).metadata.annotations).toMatchObject({
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
