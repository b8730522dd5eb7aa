/** The benchmarks of a whole cluster, run small so that they cannot rot. */
import { expect, test } from "vitest";
import { benchMemory } from "../../bench/cluster/memory.ts";
import { benchIdle } from "../../bench/controllers/idle.ts";
import { benchRollouts } from "../../bench/controllers/rollouts.ts";
import { benchScale } from "../../bench/controllers/scale.ts";
import { benchBound } from "../../bench/scheduler/bound.ts";
import { benchDecisions } from "../../bench/scheduler/decision.ts";
import { benchLarge } from "../../bench/scheduler/large.ts";
import { mixes } from "../../bench/scheduler/mixes.ts";
import { benchPods } from "../../bench/cluster/pods.ts";
import { benchStart } from "../../bench/cluster/start.ts";
import type { Result } from "../../bench/report.ts";

/** Names of the results in which both sides have taken time or room. */
const measured = (results: readonly Result[]): readonly string[] => {
  const whole = results.filter(
    (one) => (one.measured[0] ?? 0) * (one.baseline.measured[0] ?? 0) > 0,
  );
  return [...new Set(whole.map(({ bench }) => bench))];
};

test("the benchmark of pods runs", async () => {
  expect(measured(await benchPods({ pods: 2, runs: 1 }))).toEqual(["cluster/pods-available"]);
});

test("the benchmark of memory runs, and counts every process", async () => {
  const results = await benchMemory({ idleSeconds: 0, runs: 1 });
  expect(measured(results)).toEqual([
    "cluster/memory",
    "cluster/memory-control-plane",
    "cluster/memory-node",
  ]);
  expect(Object.keys(results[0]?.parts ?? {})).toEqual([
    "nats",
    "api-0",
    "controllers-0",
    "scheduler-0",
    "node-1",
    "lb-0",
  ]);
});

test("the benchmark of a start runs", async () => {
  const results = await benchStart({ runs: 1, only: "second" });
  expect(measured(results)).toEqual(["cluster/start-second"]);
});

test("the benchmark of the controllers' rollouts runs", async () => {
  const small = { controllers: 1, pods: 3, deployments: 2, replicas: 1, nodes: 2 };
  expect(measured(await benchRollouts(small))).toEqual([
    "controllers/one-large-created",
    "controllers/one-large-emptied",
    "controllers/many-created",
    "controllers/many-rolled",
  ]);
});

test("the benchmark of an idle cluster runs, and finds that nothing is stored", async () => {
  const results = await benchIdle({ objects: 30, seconds: 2, nodes: 1, settleSeconds: 20 });
  const stored = results.find(({ bench }) => bench === "controllers/idle-stored");
  expect(stored?.measured).toEqual([0]);
});

test("the benchmark of a change's cost runs", async () => {
  const results = await benchScale({ objects: [30, 60], changes: 10 });
  expect(measured(results)).toEqual(["controllers/cost-of-a-change"]);
});

test("the benchmark of the scheduler's decisions runs", () => {
  expect(measured(benchDecisions({ nodes: 6, pods: 30, runs: 1 }))).toEqual(
    mixes.map((mix) => `scheduler/decision-${mix}`),
  );
});

test("the benchmark of bound pods runs: each mix, through a Deployment, and at a steady rate", async () => {
  const once = { kind: "at-once", pods: 12, runs: 1 } as const;
  const results = await benchBound({ nodes: 6, schedulers: 2 }, [
    ...mixes.map((mix) => ({ ...once, mix, through: "pods" }) as const),
    { ...once, mix: "spread", through: "deployment" },
    { kind: "steady", rate: 20, seconds: 1 },
  ]);
  expect(measured(results)).toEqual([
    ...mixes.map((mix) => `scheduler/bound-${mix}`),
    "scheduler/bound-deployment-spread",
    "scheduler/steady-p50",
    "scheduler/steady-p99",
  ]);
});

test("the benchmark of a large cluster's scheduler runs", async () => {
  const results = await benchLarge({ nodes: 6, pods: 60, seconds: 1, rate: 50 });
  expect(measured(results)).toEqual([
    "scheduler/large-memory",
    "scheduler/large-cpu",
    "scheduler/large-bind",
  ]);
});
