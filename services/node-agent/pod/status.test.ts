import { describe, expect, test } from "vitest";
import { decidePod } from "./decide.ts";
import { aContainer, aWork, now, theFacts } from "./fixtures.ts";
import { sizeOf } from "./size.ts";
import { statusOf } from "./status.ts";

const conditionOf = (status: ReturnType<typeof statusOf>, type: string) =>
  status.conditions.find((one) => one.type === type);
const up = new Map([["main-0", { started: true, ready: true, failed: undefined }]]);

describe("a pod's status", () => {
  test("is Pending until its containers have run", () => {
    const status = statusOf(theFacts());
    expect(status).toMatchObject({
      phase: "Pending",
      containerStatuses: [{ state: { waiting: { reason: "ContainerCreating" } }, ready: false }],
    });
  });

  test("is Running and ready once its probes say so", () => {
    const status = statusOf(theFacts({ containers: [aContainer("main")], probes: up }));
    expect(status).toMatchObject({
      phase: "Running",
      podIP: "10.0.0.2",
      hostIP: "192.0.2.2",
      qosClass: "BestEffort",
    });
    expect(conditionOf(status, "Ready")?.status).toBe("True");
  });

  test("keeps a condition's time until it changes", () => {
    const first = statusOf(theFacts({ containers: [aContainer("main")], probes: up }));
    const same = statusOf(
      theFacts({ containers: [aContainer("main")], probes: up, last: first, now: now + 5_000 }),
    );
    expect(conditionOf(same, "Ready")).toEqual(conditionOf(first, "Ready"));
    const unready = statusOf(
      theFacts({ containers: [aContainer("main")], last: same, now: now + 9_000 }),
    );
    expect(conditionOf(unready, "Ready")).toMatchObject({
      status: "False",
      lastTransitionTime: "2026-01-01T00:00:09Z",
      message: "containers with unready status: [main]",
    });
  });

  test("tells a crash loop, and how the last run ended", () => {
    const crashed = aContainer("main", { state: "exited", exitCode: 3, attempt: 2, failures: 2 });
    const { status } = decidePod(theFacts({ containers: [crashed] }));
    expect(status).toMatchObject({
      phase: "Running",
      containerStatuses: [
        {
          restartCount: 2,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: { exitCode: 3, reason: "Error" } },
        },
      ],
    });
  });

  test.each([
    { policy: "Never", exitCode: 0, phase: "Succeeded" },
    { policy: "Never", exitCode: 1, phase: "Failed" },
    { policy: "OnFailure", exitCode: 0, phase: "Succeeded" },
    { policy: "Always", exitCode: 0, phase: "Running" },
  ])(
    "is $phase after exit $exitCode under restartPolicy $policy",
    ({ policy, exitCode, phase }) => {
      const work = aWork({ restartPolicy: policy });
      const containers = [aContainer("main", { state: "exited", exitCode })];
      expect(statusOf(theFacts({ work, containers })).phase).toBe(phase);
    },
  );

  test("is terminal once the pod was ended, and tells how", () => {
    const ending = { graceSeconds: 1, drained: true };
    const before = statusOf(
      theFacts({ ending, containers: [aContainer("main", { state: "exited", exitCode: 143 })] }),
    );
    const after = statusOf(theFacts({ ending, last: before }));
    expect(after).toMatchObject({
      phase: "Failed",
      containerStatuses: [{ state: { terminated: { exitCode: 143 } } }],
    });
  });
});

describe("an ephemeral container's status", () => {
  const work = aWork({ ephemeralContainers: [{ name: "debug", image: "box:v1" }] });
  const app = aContainer("main");

  test("is told beside the pod's, and changes nothing of it", () => {
    const without = statusOf(theFacts({ containers: [app], probes: up }));
    const debug = aContainer("debug", { state: "exited", exitCode: 3, image: "box:v1" });
    const { ephemeralContainerStatuses, ...rest } = statusOf(
      theFacts({ work, containers: [app, debug], probes: up }),
    );
    expect(rest).toEqual(without);
    expect(ephemeralContainerStatuses).toMatchObject([
      { name: "debug", ready: false, state: { terminated: { exitCode: 3 } } },
    ]);
    expect(ephemeralContainerStatuses?.[0]).not.toHaveProperty("started");
  });

  test("tells why it does not run, and that it was lost", () => {
    const held = { reason: "ImagePullBackOff", message: "no such image", retryAt: now + 1 };
    const waiting = new Map([["debug", held]]);
    expect(statusOf(theFacts({ work, containers: [app], waiting }))).toMatchObject({
      ephemeralContainerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } } }],
    });
    const started = new Map([["debug", 0]]);
    expect(statusOf(theFacts({ work, containers: [app], started }))).toMatchObject({
      ephemeralContainerStatuses: [
        { state: { terminated: { reason: "ContainerStatusUnknown", exitCode: 137 } } },
      ],
    });
  });
});

describe("the size of a pod's containers", () => {
  const sized = (cpu: string, memory: string) => ({
    requests: { cpu, memory },
    limits: { cpu, memory },
  });
  const [small, large] = [sized("100m", "64Mi"), sized("300m", "128Mi")];
  const containers = [{ name: "main", image: "web:v1", resources: large }];
  const work = aWork({ containers }, { generation: 4 });
  const has = (resources: object) => [aContainer("main", { size: sizeOf({ resources }) })];
  const progress = (status: ReturnType<typeof statusOf>) =>
    conditionOf(status, "PodResizeInProgress");

  test("is told in the words of the pod where it is what they say", () => {
    const status = statusOf(theFacts({ work, containers: has(large) }));
    expect(status).toMatchObject({
      observedGeneration: 4,
      containerStatuses: [{ resources: large, allocatedResources: large.requests }],
    });
    expect(progress(status)).toBeUndefined();
  });

  test("is told as it is while it is another, and that it is to change", () => {
    const status = statusOf(theFacts({ work, containers: has(small) }));
    expect(status.containerStatuses[0]).toMatchObject({
      allocatedResources: large.requests,
      resources: {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { cpu: "100m", memory: "67108864" },
      },
    });
    expect(progress(status)).toMatchObject({ status: "True", observedGeneration: 4 });
  });

  test("has no limit that it has not yet", () => {
    const status = statusOf(theFacts({ work, containers: has({ requests: small.requests }) }));
    expect(status.containerStatuses[0]?.resources?.limits).toEqual({});
  });

  test("is to change still while the container is restarted for it", () => {
    const [main] = has(small);
    const ended = { ...main, state: "exited" } as ReturnType<typeof aContainer>;
    const replaced = new Set(["main-0"]);
    const status = statusOf(theFacts({ work, containers: [ended], replaced }));
    expect(progress(status)).toMatchObject({ status: "True" });
  });

  test("says why it does not change", () => {
    const size = sizeOf({ resources: large });
    const failed = { message: "the engine is out of order", retryAt: now + 1 };
    const resizes = new Map([["main-0", { size, failed }]]);
    const status = statusOf(theFacts({ work, containers: has(small), resizes }));
    expect(progress(status)).toMatchObject({ reason: "Error", message: failed.message });
  });

  test("counts as changed where the engine took it and does not tell", () => {
    const size = sizeOf({ resources: large });
    const resizes = new Map([["main-0", { size, failed: undefined }]]);
    expect(progress(statusOf(theFacts({ work, containers: has(small), resizes })))).toBeUndefined();
  });

  test("is that of a generation which is told again only with what follows from it", () => {
    const ending = { graceSeconds: 30, drained: true };
    const first = statusOf(theFacts({ work, containers: has(large) }));
    const later = { ...work, generation: 5 };
    const status = statusOf(theFacts({ work: later, containers: has(large), ending, last: first }));
    expect(status.observedGeneration).toBe(4);
  });
});
