import { describe, expect, test } from "vitest";
import { decidePod } from "./decide.ts";
import { aContainer, aWork, now, theFacts } from "./fixtures.ts";
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
