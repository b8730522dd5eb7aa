/** The benchmarks of a whole cluster, run small so that they cannot rot. */
import { expect, test } from "vitest";
import { benchMemory } from "../../bench/cluster/memory.ts";
import { benchIdle } from "../../bench/controllers/idle.ts";
import { benchRollouts } from "../../bench/controllers/rollouts.ts";
import { benchScale } from "../../bench/controllers/scale.ts";
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
