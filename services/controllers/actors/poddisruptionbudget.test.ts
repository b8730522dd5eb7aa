import { describe, expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import {
  podDisruptionBudget,
  type PodDisruptionBudget,
} from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { behaviourOf } from "../behaviour.ts";
import {
  aDeployment,
  aNamespace,
  aNode,
  aPod,
  aReplicaSet,
  countingRandom,
  settings,
  start,
} from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { decide, podDisruptionBudgets, type Scale } from "./poddisruptionbudget.ts";

const aBudget = (spec: object, status?: object): PodDisruptionBudget =>
  parse(podDisruptionBudget, {
    metadata: { name: "web", namespace: "default", uid: "b1", generation: 3 },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    status,
  });
const ready = (name: string) => aPod(name, { node: "n1", readySinceMs: start });
const some = (count: number, unready = 0) => [
  ...Array.from({ length: count }, (_, nth) => ready(`p${nth}`)),
  ...Array.from({ length: unready }, (_, nth) => aPod(`u${nth}`)),
];
const placed = (pods: ReturnType<typeof some>) =>
  pods.map((one) => ({ pod: one, nodeReady: true }));
const scale = (replicas: number | undefined): readonly Scale[] => [{ uid: "rs1", replicas }];

type Case = {
  readonly name: string;
  readonly spec: object;
  readonly healthy: number;
  readonly unready?: number;
  readonly replicas?: number;
  readonly expected: readonly [allowed: number, desired: number, pods: number];
};

describe("a PodDisruptionBudget", () => {
  test.each<Case>([
    {
      name: "counts its pods for a number that must stay",
      spec: { minAvailable: 2 },
      healthy: 3,
      expected: [1, 2, 3],
    },
    {
      name: "allows none when too few are",
      spec: { minAvailable: 3 },
      healthy: 2,
      unready: 1,
      expected: [0, 3, 3],
    },
    {
      name: "takes a percentage of what is wanted, rounded up",
      spec: { minAvailable: "50%" },
      healthy: 5,
      replicas: 5,
      expected: [2, 3, 5],
    },
    {
      name: "counts what may be missing from what is wanted",
      spec: { maxUnavailable: 1 },
      healthy: 4,
      unready: 1,
      replicas: 5,
      expected: [0, 4, 5],
    },
    {
      name: "rounds up what may be missing",
      spec: { maxUnavailable: "30%" },
      healthy: 5,
      replicas: 5,
      expected: [2, 3, 5],
    },
    {
      name: "allows none where there are none",
      spec: { maxUnavailable: 1 },
      healthy: 0,
      expected: [0, 0, 0],
    },
  ])("$name", ({ spec, healthy, unready = 0, replicas, expected }) => {
    const scales = replicas === undefined ? [] : scale(replicas);
    const world = { pods: placed(some(healthy, unready)), scales };
    const { status } = decide(aBudget(spec), world, start);
    const { disruptionsAllowed, desiredHealthy, expectedPods } = status ?? {};
    expect([disruptionsAllowed, desiredHealthy, expectedPods]).toEqual(expected);
    expect(status).toMatchObject({
      currentHealthy: healthy,
      observedGeneration: 3,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: expected[0] > 0 ? "True" : "False",
          reason: expected[0] > 0 ? "SufficientPods" : "InsufficientPods",
        },
      ],
    });
  });

  test("allows none when a controller does not say its scale", () => {
    const world = { pods: placed(some(3)), scales: scale(undefined) };
    const { status } = decide(aBudget({ maxUnavailable: 1 }), world, start);
    expect(status).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ status: "False", reason: "SyncFailed" }],
    });
  });

  test("counts a pod whose eviction was permitted as gone, for a while", () => {
    const disruptedPods = { p0: timeOf(start), gone: timeOf(start) };
    const self = aBudget({ minAvailable: 1 }, { disruptedPods });
    const world = { pods: placed(some(3)), scales: [] };
    const soon = decide(self, world, start + 1_000);
    expect(soon.status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(soon.status?.disruptedPods).toEqual({ p0: timeOf(start) });
    expect(soon.wakeAt).toBe(start + 120_000);
    const late = decide(self, world, start + 120_000);
    expect(late.status).toMatchObject({ currentHealthy: 3 });
    expect(late.status).not.toHaveProperty("disruptedPods");
  });

  test("keeps the time of its condition while that stays", () => {
    const world = { pods: placed(some(2)), scales: [] };
    const first = decide(aBudget({ minAvailable: 1 }), world, start);
    const next = decide(aBudget({ minAvailable: 1 }, first.status), world, start + 60_000);
    expect(next.status).toEqual(first.status);
  });

  test("asks the Deployment of its pods' sets, once, and rests", () => {
    const cluster = simulatedCluster();
    const nodes = { seen: () => undefined, judgeable: () => true };
    const ports = { nodes, settings, random: countingRandom(), record: () => undefined };
    const behaviour = behaviourOf(podDisruptionBudgets, { ...ports, view: cluster.view });
    const by = (kind: string, name: string, uid: string) => ({
      apiVersion: "apps/v1",
      kind,
      name,
      uid,
      controller: true,
    });
    cluster.put(namespace, aNamespace("default"));
    cluster.put(node, aNode("n1"));
    cluster.put(deployment, aDeployment({ replicas: 4 }));
    for (const uid of ["rs1", "rs2"]) {
      const ownerReferences = [by("Deployment", "web", "d1")];
      cluster.put(replicaSet, aReplicaSet({ replicas: 2 }, { name: uid, uid, ownerReferences }));
      for (const nth of [0, 1]) {
        const owner = by("ReplicaSet", uid, uid);
        cluster.put(pod, aPod(`${uid}-${nth}`, { node: "n1", readySinceMs: start, owner }));
      }
    }
    cluster.put(podDisruptionBudget, aBudget({ maxUnavailable: 1 }));
    expect(cluster.settle([behaviour], () => start)).toBe(true);
    expect(cluster.view.get(podDisruptionBudget, "default", "web")?.status).toMatchObject({
      expectedPods: 4,
      currentHealthy: 4,
      desiredHealthy: 3,
      disruptionsAllowed: 1,
    });
  });
});
