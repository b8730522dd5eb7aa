/** The cases are those of Kubernetes' replica_calculator_test.go, in this project's words. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import { aPod, start } from "../../fixtures.ts";
import {
  type PodMetric,
  replicasByAverage,
  replicasByShare,
  replicasByUtilization,
  replicasByValue,
} from "./replicas.ts";

const minute = 60_000;
const now = start + 60 * minute;
const tolerances = { up: 0.1, down: 0.1 };

type Is = "ready" | "unready" | "pending" | "failed" | "ending" | "started" | "wokeUp";
/** A pod that began long ago, unless it says otherwise; `undefined`: nothing is known of its use. */
type Case = readonly [is: Is, milli: number | undefined];

function podOf(nth: number, is: Is): Pod {
  const began = is === "started" || is === "wokeUp" ? now - minute : start;
  const since = is === "started" ? now - 1_000 : is === "wokeUp" ? now - 30_000 : start + 20_000;
  const made = aPod(`p${nth}`, {
    ...(is !== "pending" && { node: "n1", readySinceMs: since }),
    ...(is === "failed" && { phase: "Failed" }),
    metadata: { ...(is === "ending" && { deletionTimestamp: timeOf(now) }) },
  });
  const { status } = made;
  const conditions = (status?.conditions ?? []).map((one) =>
    is === "unready" ? { ...one, status: "False" as const } : one,
  );
  return { ...made, status: { ...status, conditions, startTime: timeOf(began) } as Pod["status"] };
}

function worldOf(cases: readonly Case[], at = now) {
  const pods = cases.map(([is], nth) => podOf(nth, is));
  const metrics = new Map<string, PodMetric>();
  for (const [nth, [, milli]] of cases.entries()) {
    if (milli !== undefined) metrics.set(`p${nth}`, { milli, at, windowMs: 4_000 });
  }
  return { pods, metrics };
}

const ready = (...milli: (number | undefined)[]): Case[] => milli.map((one) => ["ready", one]);

/** Every pod requests 1,000 thousandths of a CPU. */
function byUtilization(cases: readonly Case[], target: number, current = cases.length, more = {}) {
  const { pods, metrics } = worldOf(cases);
  const requests = new Map(pods.map((pod) => [pod.metadata.name, 1_000]));
  const ask = { current, pods, metrics, isCpu: true, tolerances, now, requests, target, ...more };
  return replicasByUtilization(ask);
}
const replicas = (proposal: ReturnType<typeof byUtilization>) =>
  proposal.ok ? proposal.replicas : proposal.error;

describe("by what pods use of what they request", () => {
  test.each<readonly [string, readonly Case[], number, number, number | string]>([
    ["scales up", ready(300, 500, 700), 30, 3, 5],
    ["scales down", ready(100, 300, 500, 250, 250), 50, 5, 3],
    ["stays within the tolerance above", ready(1_010, 1_030, 1_020), 100, 3, 3],
    ["stays within the tolerance below", ready(990, 910, 950), 100, 3, 3],
    ["stays at the tolerance's very end", ready(1_100, 1_100), 100, 2, 2],
    ["goes just beyond the tolerance", ready(1_110, 1_110), 100, 2, 3],
    [
      "does not count pods that are pending, where less is asked for",
      [...ready(100), ["pending", undefined]],
      50,
      2,
      1,
    ],
    [
      "counts pods that are pending as idle, where more is asked for",
      [...ready(900, 900), ["pending", undefined]],
      30,
      3,
      6,
    ],
    [
      "stays where pending pods take up the difference",
      [...ready(500), ["pending", undefined], ["pending", undefined]],
      30,
      3,
      3,
    ],
    ["does not count pods that have failed", [...ready(500, 700), ["failed", undefined]], 30, 2, 4],
    ["does not count pods that end", [...ready(500, 700), ["ending", 9_000]], 30, 2, 4],
    [
      "counts a pod of which nothing is known as idle, where more is asked for",
      ready(600, 600, undefined),
      30,
      3,
      4,
    ],
    [
      "counts it as using all that it requests, where less is asked for",
      ready(100, 200, undefined),
      80,
      3,
      2,
    ],
    ["stays where that would turn the direction", ready(300, undefined), 40, 2, 2],
    [
      "counts it as at the target, where that is above all",
      ready(200, undefined, undefined),
      200,
      3,
      3,
    ],
    [
      "does not count CPU of a pod that has just become ready",
      [...ready(300), ["started", 9_000]],
      30,
      2,
      2,
    ],
    [
      "counts CPU of a young pod once a whole window is of after its start",
      [...ready(300), ["wokeUp", 900]],
      30,
      2,
      4,
    ],
    [
      "counts an old pod that was ready once though it is not now",
      [...ready(300), ["unready", 900]],
      30,
      2,
      2,
    ],
    ["asks for none where nothing is used", ready(0, 0), 50, 2, 0],
    ["rounds what is used down to a whole percent", ready(509), 50, 1, 1],
    [
      "says so when there is no pod",
      [],
      50,
      0,
      "no pods returned by selector while calculating replica count",
    ],
    [
      "says so when nothing is known of any",
      ready(undefined, undefined),
      50,
      2,
      "did not receive metrics for targeted pods (pods might be unready)",
    ],
    [
      "says so when all are pending",
      [["pending", undefined]],
      50,
      1,
      "did not receive metrics for targeted pods (pods might be unready)",
    ],
  ])("%s", (_name, cases, target, current, expected) => {
    expect(replicas(byUtilization(cases, target, current))).toBe(expected);
  });

  test("the mean of what is used is shown, and its percentage", () => {
    expect(byUtilization(ready(300, 501), 30)).toMatchObject({ milli: 400, utilization: 40 });
  });

  test("each way has its own tolerance", () => {
    const narrow = { tolerances: { up: 0.01, down: 0.5 } };
    expect(replicas(byUtilization(ready(1_020, 1_020), 100, 2, narrow))).toBe(3);
    expect(replicas(byUtilization(ready(500, 500), 100, 2, narrow))).toBe(2);
  });

  test("a container without a request is named", () => {
    const requests = "missing request for cpu in container web of Pod p0";
    expect(byUtilization(ready(1), 50, 1, { requests })).toEqual({ ok: false, error: requests });
  });
});

describe("by a value a pod", () => {
  const byAverage = (cases: readonly Case[], target: number, current = cases.length) => {
    const ask = { current, ...worldOf(cases), isCpu: false, tolerances, now, target };
    return replicas(replicasByAverage(ask));
  };
  test.each<readonly [string, readonly Case[], number, number]>([
    ["scales up", ready(20_000, 10_000, 30_000), 15_000, 4],
    ["scales down", ready(12_000, 12_000, 12_000, 12_000, 12_000), 20_000, 3],
    [
      "counts what is unready: only CPU is of a start",
      [...ready(20_000), ["unready", 20_000]],
      10_000,
      4,
    ],
    ["counts a missing one as idle, where more is asked for", ready(30_000, undefined), 10_000, 3],
    ["counts a missing one as at the target, where less is", ready(2_000, undefined), 10_000, 2],
    ["stays within the tolerance", ready(20_000, 21_000), 20_000, 2],
  ])("%s", (_name, cases, target, expected) => {
    expect(byAverage(cases, target)).toBe(expected);
  });
});

describe("by one value for all", () => {
  const byValue = (milli: number, target: number, current: number, cases: readonly Case[]) =>
    replicas(replicasByValue({ milli, target, tolerances, current, ...worldOf(cases) }));
  test.each<readonly [string, number, number, number, readonly Case[], number | string]>([
    ["scales up by those that are ready", 20_000, 15_000, 3, ready(1, 1, 1), 4],
    [
      "does not count pods that are not ready",
      20_000,
      10_000,
      3,
      [...ready(1, 1), ["unready", 1]],
      4,
    ],
    ["scales down", 5_000, 10_000, 4, ready(1, 1, 1, 1), 2],
    ["goes to none", 0, 10_000, 2, ready(1, 1), 0],
    ["stays within the tolerance", 10_500, 10_000, 2, ready(1, 1), 2],
    ["comes from none", 100, 10_000, 0, [], 1],
    ["stays at none", 0, 10_000, 0, [], 0],
    [
      "says so when there is no pod to go by",
      20_000,
      10_000,
      2,
      [],
      "no pods returned by selector while calculating replica count",
    ],
  ])("%s", (_name, milli, target, current, cases, expected) => {
    expect(byValue(milli, target, current, cases)).toBe(expected);
  });

  const byShare = (milli: number, target: number, existing: number) =>
    replicasByShare({ milli, target, tolerances, existing });
  test.each<readonly [string, number, number, number, number, number]>([
    ["shared out, scales up", 80_000, 10_000, 4, 8, 20_000],
    ["shared out, stays within the tolerance", 31_000, 10_000, 3, 3, 10_334],
    ["shared out, goes to none", 0, 10_000, 3, 0, 0],
    ["shared out, comes from none", 1_000, 10_000, 0, 1, 0],
    ["shared out, stays at none", 0, 10_000, 0, 0, 0],
  ])("%s", (_name, milli, target, existing, expected, shown) => {
    expect(byShare(milli, target, existing)).toEqual({
      ok: true,
      replicas: expected,
      milli: shown,
    });
  });
});

describe("whatever pods there are", () => {
  const anyIs = fc.constantFrom<Is>("ready", "unready", "pending", "failed", "ending", "started");
  const anyPod = fc.tuple(anyIs, fc.option(fc.nat(3_000), { nil: undefined }));
  const anyPods = fc.array(anyPod, { minLength: 1, maxLength: 12 });

  test("a missing pod never makes the change larger", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3_000), { minLength: 1, maxLength: 8 }),
        fc.nat(8),
        (used, missing) => {
          const current = used.length + missing;
          const all: Case[] = [
            ...ready(...used),
            ...ready(...Array<undefined>(missing).fill(undefined)),
          ];
          const [known, asked] = [
            byUtilization(ready(...used), 50),
            byUtilization(all, 50, current),
          ];
          if (!known.ok || !asked.ok) return;
          const factor = known.replicas / used.length;
          const change = asked.replicas / current;
          expect(Math.sign(change - 1) * Math.sign(factor - 1)).toBeGreaterThanOrEqual(0);
          if (factor > 1) expect(asked.replicas).toBeLessThanOrEqual(Math.ceil(factor * current));
        },
      ),
    );
  });

  test("more use never asks for fewer pods", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3_000), { minLength: 1, maxLength: 8 }),
        fc.nat(1_000),
        (used, more) => {
          const [before, after] = [used, used.map((milli) => milli + more)].map((all) =>
            byUtilization(ready(...all), 50),
          );
          if (before?.ok !== true || after?.ok !== true) return;
          expect(after.replicas).toBeGreaterThanOrEqual(Math.min(before.replicas, used.length));
        },
      ),
    );
  });

  test("a number is proposed, or what is wrong is said", () => {
    fc.assert(
      fc.property(
        anyPods,
        fc.integer({ min: 1, max: 300 }),
        fc.nat(20),
        (cases, target, current) => {
          const proposal = byUtilization(cases, target, current);
          if (proposal.ok)
            expect(Number.isInteger(proposal.replicas) && proposal.replicas >= 0).toBe(true);
          else expect(proposal.error).not.toBe("");
        },
      ),
    );
  });
});
