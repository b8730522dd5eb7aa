import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sandboxName } from "../runtime/runtime.ts";
import { decidePod } from "./decide.ts";
import type { PodFacts } from "./facts.ts";
import { aContainer, aWork, now, textOf, theFacts } from "./fixtures.ts";

const exited = (exitCode: number, more = {}) =>
  aContainer("main", { state: "exited", exitCode, ...more });
const two = { containers: [{ name: "a" }, { name: "b" }] };
const withInit = { initContainers: [{ name: "setup" }] };
const ending = { graceSeconds: 30, drained: false };
const failed = { started: true, ready: true, failed: { message: "sick", graceSeconds: undefined } };

type Case = { name: string; facts: Partial<PodFacts>; acts: string[]; wakeInMs?: number };

describe("a pod", () => {
  test.each<Case>([
    { name: "starts what is not there", facts: {}, acts: ["start main 0"] },
    { name: "rests while it runs", facts: { containers: [aContainer("main")] }, acts: [] },
    {
      name: "starts what was made and not started",
      facts: { containers: [aContainer("main", { state: "created", startedAt: undefined })] },
      acts: ["start main 0"],
    },
    {
      name: "restarts at once, the first time",
      facts: { containers: [exited(1)] },
      acts: ["start main 1"],
    },
    {
      name: "waits 10 s after the second failure",
      facts: { containers: [exited(1, { attempt: 1, failures: 1 })] },
      acts: [],
      wakeInMs: 10_000,
    },
    {
      name: "waits no longer than 5 min",
      facts: { containers: [exited(1, { attempt: 40, failures: 40 })] },
      acts: [],
      wakeInMs: 300_000,
    },
    {
      name: "forgives failures after a run of 10 min",
      facts: { containers: [exited(1, { attempt: 9, failures: 9, startedAt: now - 600_000 })] },
      acts: ["start main 10"],
    },
    {
      name: "leaves what ended well when it is restarted on failure only",
      facts: { work: aWork({ restartPolicy: "OnFailure" }), containers: [exited(0)] },
      acts: [],
    },
    {
      name: "restarts what failed when it is restarted on failure",
      facts: { work: aWork({ restartPolicy: "OnFailure" }), containers: [exited(1)] },
      acts: ["start main 1"],
    },
    {
      name: "starts nothing of what has ended, though its containers are gone (O2)",
      facts: { work: aWork({ restartPolicy: "Never" }, { phase: "Succeeded" }) },
      acts: [],
    },
    {
      name: "leaves what is never restarted",
      facts: { work: aWork({ restartPolicy: "Never" }), containers: [exited(1)] },
      acts: [],
    },
    {
      name: "keeps the container before the newest, for its logs, and no more",
      facts: {
        containers: [2, 1, 0].map((attempt) =>
          aContainer("main", attempt === 2 ? { attempt } : { attempt, state: "exited" }),
        ),
      },
      acts: ["remove main-0"],
    },
    {
      name: "ends what fails its liveness probe",
      facts: { containers: [aContainer("main")], probes: new Map([["main-0", failed]]) },
      acts: ["stop main-0 30 sick"],
    },
    {
      name: "starts its sandbox first",
      facts: { work: aWork(two) },
      acts: [`start ${sandboxName} 0`],
    },
    {
      name: "starts all containers in its sandbox",
      facts: { work: aWork(two), containers: [aContainer(sandboxName)] },
      acts: ["start a 0", "start b 0"],
    },
    {
      name: "ends its containers when the sandbox has ended",
      facts: {
        work: aWork(two),
        containers: [aContainer(sandboxName, { state: "exited" }), aContainer("a")],
      },
      acts: [`remove ${sandboxName}-0`, "remove a-0"],
    },
    {
      name: "starts init containers first",
      facts: { work: aWork(withInit) },
      acts: ["start setup 0"],
    },
    {
      name: "goes on when init containers have succeeded",
      facts: { work: aWork(withInit), containers: [aContainer("setup", { state: "exited" })] },
      acts: ["start main 0"],
    },
    {
      name: "waits as long as a container that could not be started says",
      facts: {
        waiting: new Map([["main", { reason: "ErrImagePull", message: "", retryAt: now + 7_000 }]]),
      },
      acts: [],
      wakeInMs: 7_000,
    },
    {
      name: "asks before it ends",
      facts: { ending, containers: [aContainer("main")] },
      acts: ["drain"],
    },
    {
      name: "is signalled once its clients are elsewhere",
      facts: { ending: { ...ending, drained: true }, containers: [aContainer("main")] },
      acts: ["stop main-0 30 Stopping container main"],
    },
    {
      name: "is removed once it has ended",
      facts: { ending, containers: [exited(0)] },
      acts: ["remove main-0"],
    },
  ])("$name", ({ facts, acts, wakeInMs }) => {
    const decision = decidePod(theFacts(facts));
    expect(decision.actions.map(textOf)).toEqual(acts);
    expect(decision.wakeAt).toBe(wakeInMs === undefined ? undefined : now + wakeInMs);
  });

  test("is gone only when nothing of it is left", () => {
    expect(decidePod(theFacts({ ending })).gone).toBe(true);
    expect(decidePod(theFacts({ ending, containers: [exited(0)] })).gone).toBe(false);
    expect(decidePod(theFacts()).gone).toBe(false);
  });

  test("never leaves a terminal phase (O2)", () => {
    const work = aWork({ restartPolicy: "Never" });
    const { status } = decidePod(theFacts({ work, containers: [exited(1)] }));
    expect(status.phase).toBe("Failed");
    const later = decidePod(theFacts({ work, last: status, containers: [] }));
    expect(later).toMatchObject({ actions: [], status: { phase: "Failed" } });
  });

  test("never starts anything once it is to end, and acts on nothing twice", () => {
    fc.assert(
      fc.property(anyContainers, fc.boolean(), fc.boolean(), (containers, isEnding, drained) => {
        const facts = theFacts({
          containers,
          ending: isEnding ? { graceSeconds: 1, drained } : undefined,
        });
        const acts = decidePod(facts).actions.map(textOf);
        expect(new Set(acts).size).toBe(acts.length);
        expect(isEnding && acts.some((act) => act.startsWith("start"))).toBe(false);
      }),
    );
  });
});

const anyContainers = fc
  .array(fc.constantFrom("created", "running", "exited"), { maxLength: 4 })
  .map((states) => states.map((state, attempt) => aContainer("main", { state, attempt })));
