import { describe, expect, test } from "vitest";
import { sandboxName } from "../runtime/runtime.ts";
import { decidePod } from "./decide.ts";
import type { PodFacts } from "./facts.ts";
import { aContainer, aWork, now, textOf, theFacts } from "./fixtures.ts";

const exited = (container: string, exitCode: number, more = {}) =>
  aContainer(container, { state: "exited", exitCode, ...more });
const sandbox = aContainer(sandboxName);
const sidecar = { name: "proxy", image: "web:v1", restartPolicy: "Always" };
const setup = { name: "setup", image: "web:v1" };
const main = { name: "main", image: "web:v1" };
const withSidecar = (more: object = {}) =>
  aWork({ initContainers: [sidecar, setup], containers: [main], ...more });
const verdict = (started: boolean) => ({ started, ready: started, failed: undefined });
const up = new Map([["proxy-0", verdict(true)]]);
const ending = { graceSeconds: 30, drained: true };
const patched = aWork({ containers: [{ name: "main", image: "web:v2" }] });
const two = { initContainers: [sidecar, { ...sidecar, name: "log" }], containers: [main] };

type Case = { name: string; facts: Partial<PodFacts>; acts: string[] };

const cases = (table: readonly Case[]) =>
  test.each(table)("$name", ({ facts, acts }) => {
    expect(decidePod(theFacts(facts)).actions.map(textOf)).toEqual(acts);
  });

describe("a container whose definition changed", () => {
  cases([
    {
      name: "is ended",
      facts: { work: patched, containers: [aContainer("main")] },
      acts: ["stop main-0 30 Container main definition changed, will be restarted"],
    },
    {
      name: "is started anew at once, though nothing that ends is to be restarted",
      facts: {
        work: aWork({ containers: [{ name: "main", image: "web:v2" }], restartPolicy: "Never" }),
        containers: [exited("main", 143)],
        replaced: new Set(["main-0"]),
      },
      acts: ["start main 1"],
    },
    {
      name: "does not wait for the back-off of what it was before",
      facts: {
        work: patched,
        containers: [exited("main", 1, { attempt: 9, failures: 9 })],
      },
      acts: ["start main 10"],
    },
    {
      name: "is made again where it was made and not started",
      facts: {
        work: patched,
        containers: [aContainer("main", { state: "created", startedAt: undefined })],
      },
      acts: ["remove main-0"],
    },
    {
      name: "runs on if it is an init container on its way to its end",
      facts: {
        work: aWork({ initContainers: [{ name: "setup", image: "web:v2" }] }),
        containers: [aContainer("setup")],
      },
      acts: [],
    },
  ]);

  test("is not over meanwhile (O2)", () => {
    const work = aWork({ restartPolicy: "OnFailure" });
    const facts = { work, containers: [exited("main", 0)], replaced: new Set(["main-0"]) };
    expect(decidePod(theFacts(facts)).status.phase).toBe("Running");
  });
});

describe("a container that somebody removed", () => {
  const started = new Map([["main", 3]]);

  cases([
    { name: "is started, and counted on", facts: { started }, acts: ["start main 4"] },
    {
      name: "is started beside the one before it, which was kept",
      facts: { started, containers: [exited("main", 1, { attempt: 2, failures: 2 })] },
      acts: ["start main 4"],
    },
    {
      name: "stays away where nothing is to be restarted",
      facts: { started, work: aWork({ restartPolicy: "Never" }) },
      acts: [],
    },
  ]);

  test("keeps its count while it is away", () => {
    const { status } = decidePod(theFacts({ started }));
    expect(status).toMatchObject({
      phase: "Running",
      containerStatuses: [
        {
          restartCount: 3,
          state: { waiting: { reason: "ContainerCreating" } },
          lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } },
        },
      ],
    });
  });

  test("has failed its pod where nothing is to be restarted", () => {
    const work = aWork({ restartPolicy: "Never" });
    const { status } = decidePod(theFacts({ started, work }));
    expect(status).toMatchObject({
      phase: "Failed",
      containerStatuses: [{ state: { terminated: { reason: "ContainerStatusUnknown" } } }],
    });
  });
});

describe("a pod with sidecars", () => {
  cases([
    {
      name: "needs a sandbox though it has one container",
      facts: { work: withSidecar() },
      acts: [`start ${sandboxName} 0`],
    },
    {
      name: "starts the sidecar before what comes after it",
      facts: { work: withSidecar(), containers: [sandbox] },
      acts: ["start proxy 0"],
    },
    {
      name: "waits until the sidecar has started",
      facts: {
        work: withSidecar(),
        containers: [sandbox, aContainer("proxy")],
        probes: new Map([["proxy-0", verdict(false)]]),
      },
      acts: [],
    },
    {
      name: "goes on beside a sidecar that has started",
      facts: { work: withSidecar(), containers: [sandbox, aContainer("proxy")], probes: up },
      acts: ["start setup 0"],
    },
    {
      name: "starts its containers beside the sidecar",
      facts: {
        work: withSidecar(),
        containers: [sandbox, aContainer("proxy"), exited("setup", 0)],
        probes: up,
      },
      acts: ["start main 0"],
    },
    {
      name: "restarts a sidecar that ended, though nothing else is to be restarted",
      facts: {
        work: withSidecar({ restartPolicy: "Never" }),
        containers: [sandbox, exited("proxy", 0), aContainer("main")],
      },
      acts: ["start proxy 1"],
    },
    {
      name: "ends its containers first",
      facts: {
        work: aWork(two),
        ending,
        containers: [sandbox, aContainer("proxy"), aContainer("log"), aContainer("main")],
      },
      acts: ["stop main-0 30 Stopping container main"],
    },
    {
      name: "ends its sidecars after them, the last one first",
      facts: {
        work: aWork(two),
        ending,
        containers: [sandbox, aContainer("proxy"), aContainer("log"), exited("main", 0)],
      },
      acts: ["stop log-0 30 Stopping container log"],
    },
    {
      name: "ends a sidecar once the work is done",
      facts: {
        work: withSidecar({ restartPolicy: "OnFailure" }),
        containers: [sandbox, aContainer("proxy"), exited("main", 0)],
      },
      acts: ["stop proxy-0 30 Stopping container proxy"],
    },
    {
      name: "ends a sidecar once an init container has failed for good",
      facts: {
        work: withSidecar({ restartPolicy: "Never" }),
        containers: [sandbox, aContainer("proxy"), exited("setup", 1)],
        probes: up,
      },
      acts: ["stop proxy-0 30 Stopping container proxy"],
    },
  ]);

  test("succeeds when its work is done and its sidecars have ended, however they did", () => {
    const work = withSidecar({ restartPolicy: "Never" });
    const done = [sandbox, exited("main", 0)];
    const during = decidePod(theFacts({ work, containers: [...done, aContainer("proxy")] }));
    expect(during.status.phase).toBe("Running");
    const after = decidePod(theFacts({ work, containers: [...done, exited("proxy", 137)] }));
    expect(after.status.phase).toBe("Succeeded");
  });

  test("is ready only with its sidecars", () => {
    const facts = {
      work: withSidecar(),
      containers: [sandbox, aContainer("proxy"), aContainer("main")],
    };
    const ready = (started: boolean) =>
      decidePod(
        theFacts({
          ...facts,
          probes: new Map([
            ["proxy-0", verdict(started)],
            ["main-0", verdict(true)],
          ]),
        }),
      ).status.conditions.find(({ type }) => type === "Ready");
    expect(ready(false)).toMatchObject({
      status: "False",
      message: "containers with unready status: [proxy]",
    });
    expect(ready(true)).toMatchObject({ status: "True" });
  });
});

describe("init containers", () => {
  const work = aWork({ initContainers: [setup, { ...setup, name: "migrate" }] });

  cases([
    { name: "run one after the other", facts: { work }, acts: ["start setup 0"] },
    {
      name: "go on once one has succeeded",
      facts: { work, containers: [exited("setup", 0)] },
      acts: ["start migrate 0"],
    },
    {
      name: "are tried again when one failed",
      facts: { work, containers: [exited("setup", 1)] },
      acts: ["start setup 1"],
    },
    {
      name: "are through once a container has run, though that was removed",
      facts: { work, started: new Map([["main", 0]]) },
      acts: ["start main 1"],
    },
  ]);

  test("say which one it is at, and why the rest waits", () => {
    const { status } = decidePod(theFacts({ work, containers: [exited("setup", 0)] }));
    expect(status).toMatchObject({
      phase: "Pending",
      initContainerStatuses: [
        { name: "setup", ready: true, state: { terminated: { reason: "Completed" } } },
        { name: "migrate", ready: false, state: { waiting: { reason: "PodInitializing" } } },
      ],
      containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
    });
  });

  test("back off like others", () => {
    const containers = [exited("setup", 1, { attempt: 2, failures: 2 })];
    const decision = decidePod(theFacts({ work, containers }));
    expect(decision).toMatchObject({
      actions: [],
      wakeAt: now + 20_000,
      status: {
        initContainerStatuses: [{ state: { waiting: { reason: "CrashLoopBackOff" } } }, {}],
      },
    });
  });
});

describe("a pod with a deadline", () => {
  const work = aWork({ activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 5 });
  const containers = [aContainer("main")];

  test("looks again when its time is over", () => {
    const decision = decidePod(theFacts({ work, containers, startTime: now - 59_000 }));
    expect(decision).toMatchObject({ actions: [], wakeAt: now + 1_000 });
  });

  test("is ended then, and has failed once nothing of it runs", () => {
    const decision = decidePod(theFacts({ work, containers }));
    expect(decision.actions.map(textOf)).toEqual(["stop main-0 5 Stopping container main"]);
    expect(decision.status.phase).toBe("Running");
    const after = decidePod(theFacts({ work, containers: [exited("main", 0)] }));
    expect(after.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
    const later = { work, containers: [], last: after.status, ending };
    expect(decidePod(theFacts(later)).status).toMatchObject({
      phase: "Failed",
      reason: "DeadlineExceeded",
    });
  });

  test("is not late when its work was done in time", () => {
    const done = exited("main", 0, { finishedAt: now - 30_000 });
    const never = aWork({ activeDeadlineSeconds: 40, restartPolicy: "Never" });
    expect(decidePod(theFacts({ work: never, containers: [done] })).status.phase).toBe("Succeeded");
  });
});

test("a pod that has ended stays as it ended, though its containers are removed (O2)", () => {
  const work = aWork({ restartPolicy: "Never" });
  const started = new Map([["main", 0]]);
  const { status } = decidePod(theFacts({ work, started, containers: [exited("main", 0)] }));
  expect(decidePod(theFacts({ work, started, last: status })).status).toEqual(status);
});

describe("an ephemeral container", () => {
  const added = (spec: object = {}) =>
    aWork({
      containers: [main],
      ephemeralContainers: [{ name: "debug", image: "box:v1" }],
      ...spec,
    });
  const running = [aContainer("main")];
  const crashed = exited("main", 1, { attempt: 9, failures: 9 });

  cases([
    {
      name: "is started beside what runs",
      facts: { work: added(), containers: running },
      acts: ["start debug 0"],
    },
    {
      name: "is started before the init containers are through",
      facts: {
        work: added({ initContainers: [setup] }),
        containers: [aContainer("setup")],
      },
      acts: ["start debug 0"],
    },
    {
      name: "waits for a container that is about to start",
      facts: { work: added() },
      acts: ["start main 0"],
    },
    {
      name: "gets a sandbox where nothing runs, nor is about to",
      facts: { work: added(), containers: [crashed] },
      acts: ["start _sandbox 0"],
    },
    {
      name: "is started in that sandbox, which then stays",
      facts: { work: added(), containers: [crashed, sandbox] },
      acts: ["start debug 0"],
    },
    {
      name: "needs no sandbox on the node's network",
      facts: { work: added({ hostNetwork: true }), containers: [crashed] },
      acts: ["start debug 0"],
    },
    {
      name: "is never started again",
      facts: { work: added(), containers: [...running, exited("debug", 1)] },
      acts: [],
    },
    {
      name: "is never started again when somebody removed it",
      facts: { work: added(), containers: running, started: new Map([["debug", 0]]) },
      acts: [],
    },
    {
      name: "is tried again while it could not be begun",
      facts: {
        work: added(),
        containers: running,
        waiting: new Map([["debug", { reason: "ErrImagePull", message: "", retryAt: now - 1 }]]),
      },
      acts: ["start debug 0"],
    },
    {
      name: "does not keep a pod that has ended",
      facts: {
        work: added({ restartPolicy: "Never" }),
        containers: [exited("main", 0), aContainer("debug")],
      },
      acts: ["stop debug-0 30 Stopping container debug"],
    },
    {
      name: "ends with the pod",
      facts: { work: added(), containers: [...running, aContainer("debug")], ending },
      acts: ["stop main-0 30 Stopping container main", "stop debug-0 30 Stopping container debug"],
    },
  ]);
});
