import { describe, expect, test } from "vitest";
import type { PodReport } from "../../../libs/protocol/node.ts";
import { judgeReport, mergeStatus, type ReportedPod } from "./merge-report.ts";

const sender = { boot: "b1", currentBoot: "b1", stamp: "2026-01-01T00:00:09Z" };
const report = (change: Partial<PodReport> = {}): PodReport => ({
  namespace: "default",
  name: "web",
  uid: "u1",
  sequence: 5,
  status: { phase: "Running" },
  gone: false,
  ...change,
});
const stored = (change: Partial<ReportedPod> = {}): ReportedPod => ({
  uid: "u1",
  mark: undefined,
  ending: false,
  finalizers: 0,
  status: { phase: "Pending" },
  ...change,
});

type Case = {
  name: string;
  pod?: ReportedPod | undefined;
  says?: PodReport;
  from?: typeof sender;
  act: string;
};

describe("a node's report", () => {
  test.each<Case>([
    { name: "of a pod that is not there is forgotten", pod: undefined, act: "forget" },
    { name: "of another uid is forgotten (O6)", pod: stored({ uid: "u2" }), act: "forget" },
    { name: "is stored when nothing was yet", pod: stored(), act: "store" },
    {
      name: "is skipped when a later one is stored (N2)",
      pod: stored({ mark: "b1/6" }),
      act: "skip",
    },
    { name: "is skipped when it is stored itself", pod: stored({ mark: "b1/5" }), act: "skip" },
    { name: "is stored after an earlier one", pod: stored({ mark: "b1/4" }), act: "store" },
    {
      name: "of a new boot is stored whatever its number",
      pod: stored({ mark: "b0/99" }),
      act: "store",
    },
    {
      name: "of an agent that was replaced is refused",
      pod: stored(),
      from: { ...sender, currentBoot: "b2" },
      act: "refuse",
    },
    {
      name: "that all is gone removes an ending pod (O6)",
      pod: stored({ ending: true }),
      says: report({ gone: true }),
      act: "remove",
    },
    {
      name: "that all is gone keeps a pod that a finalizer holds",
      pod: stored({ ending: true, finalizers: 1 }),
      says: report({ gone: true }),
      act: "store",
    },
    {
      name: "that all is gone keeps a pod that nobody deleted",
      pod: stored(),
      says: report({ gone: true }),
      act: "store",
    },
  ])("$name", ({ pod, says = report(), from = sender, act }) => {
    expect(judgeReport(pod, says, from).act).toBe(act);
  });

  test("never takes a pod out of a terminal phase (O2)", () => {
    const pod = stored({ status: { phase: "Failed", reason: "Evicted" } });
    expect(judgeReport(pod, report(), sender)).toMatchObject({
      status: { phase: "Failed", reason: "Evicted" },
    });
  });

  test("that all is gone says that a held pod has failed: it never will run to its end", () => {
    const pod = stored({ ending: true, finalizers: 1 });
    const says = report({ gone: true, status: { phase: "Pending" } });
    expect(judgeReport(pod, says, sender)).toMatchObject({ status: { phase: "Failed" } });
    const succeeded = report({ gone: true, status: { phase: "Succeeded" } });
    expect(judgeReport(pod, succeeded, sender)).toMatchObject({ status: { phase: "Succeeded" } });
  });
});

describe("the merged status", () => {
  const condition = (type: string, status: string, lastTransitionTime = "node's clock") => ({
    type,
    status,
    lastTransitionTime,
  });

  test("keeps the time of a condition that did not change, and stamps one that did (O8)", () => {
    const before = {
      conditions: [condition("Ready", "True", "t0"), condition("Initialized", "False", "t0")],
    };
    const reported = { conditions: [condition("Ready", "True"), condition("Initialized", "True")] };
    expect(mergeStatus(before, reported, "now")).toEqual({
      conditions: [condition("Ready", "True", "t0"), condition("Initialized", "True", "now")],
    });
  });

  test("never counts fewer restarts than are known", () => {
    const main = (restartCount: number) => ({
      containerStatuses: [{ name: "main", restartCount, ready: true }],
      conditions: [],
    });
    expect(mergeStatus(main(3), main(0), "now")).toEqual(main(3));
    expect(mergeStatus(main(3), main(4), "now")).toEqual(main(4));
    expect(mergeStatus({}, main(1), "now")).toEqual(main(1));
  });

  test("stamps the end of a pod that was never ready, once (O8)", () => {
    const never = { phase: "Pending", conditions: [condition("Ready", "False", "t0")] };
    const over = { phase: "Failed", conditions: [condition("Ready", "False")] };
    const ended = mergeStatus(never, over, "t1");
    expect(ended).toEqual({ phase: "Failed", conditions: [condition("Ready", "False", "t1")] });
    expect(mergeStatus(ended, over, "t2")).toEqual(ended);
  });

  test("keeps the conditions that the control plane owns", () => {
    const owned = ["PodScheduled", "DisruptionTarget"];
    const before = { conditions: owned.map((type) => condition(type, "True", "t0")) };
    expect(mergeStatus(before, { conditions: [] }, "now")).toEqual(before);
  });
});
