import { describe, expect, test } from "vitest";
import { job } from "../../../libs/model/kinds/job.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { aPod } from "../fixtures.ts";
import { simulateJob } from "./job/simulated-job.ts";
import { isTracked, trackingFinalizer } from "./job/tracking.ts";
import { countedMax, podsMax } from "./job.ts";

const running = { now: "running" } as const;
const succeeded = { now: "succeeded" } as const;
const failed = { now: "failed" } as const;

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
