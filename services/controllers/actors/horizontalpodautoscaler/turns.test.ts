/** Whole turns on a store: what is read of a cut, and what is written. */
import { expect, test } from "vitest";
import { parse } from "../../../../libs/model/errors.ts";
import type { Kind } from "../../../../libs/model/kind.ts";
import { deployment } from "../../../../libs/model/kinds/deployment.ts";
import { horizontalPodAutoscaler } from "../../../../libs/model/kinds/horizontalpodautoscaler.ts";
import { namespace } from "../../../../libs/model/kinds/namespace.ts";
import { pod } from "../../../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../../../libs/model/kinds/replicaset.ts";
import { replicationController } from "../../../../libs/model/kinds/replicationcontroller.ts";
import { statefulSet } from "../../../../libs/model/kinds/statefulset.ts";
import { apiVersionOf } from "../../../../libs/model/kind.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import { anAutoscaler } from "../../autoscaler-fixture.ts";
import { behaviourOf } from "../../behaviour.ts";
import {
  aDeployment,
  aNamespace,
  aPod,
  aReplicaSet,
  aStatefulSet,
  countingRandom,
  settings,
  start,
} from "../../fixtures.ts";
import type { Measured } from "../../measurements.ts";
import { simulatedCluster } from "../../simulated-cluster.ts";
import { horizontalPodAutoscalers, periodMs } from "../horizontalpodautoscaler.ts";

const now = start + 3_600_000;

/** A cluster in which every pod uses so much of a CPU, in percent. */
function clusterWith(percent: () => number) {
  const cluster = simulatedCluster();
  const measured: Measured = {
    usage: {
      pod: () => ({
        ageMs: 0,
        containers: [
          { name: "web", cpuNanoCores: percent() * 1e7, windowMs: 4_000, memoryBytes: 1 },
        ],
      }),
      node: () => undefined,
    },
    values: {
      external: () => ({ known: false, why: "none" }),
      object: () => ({ known: false, why: "none" }),
      pods: () => ({ known: false, why: "none" }),
    },
    heardForMs: () => 60_000,
  };
  const nodes = { seen: () => undefined, judgeable: () => true };
  const ports = { nodes, settings, measured, random: countingRandom(), record: () => undefined };
  const behaviour = behaviourOf(horizontalPodAutoscalers, { ...ports, view: cluster.view });
  cluster.put(namespace, aNamespace("default"));
  return { cluster, turn: (at: number) => behaviour.turn("default/web", cluster.view, at) };
}

/** Two pods that request a CPU each. */
function putPods(cluster: ReturnType<typeof simulatedCluster>, owner: object): void {
  const containers = [{ name: "web", image: "web:v1", resources: { requests: { cpu: "1" } } }];
  for (const name of ["p0", "p1"]) {
    const made = aPod(name, {
      node: "n1",
      readySinceMs: start,
      spec: { containers },
      owner: { controller: true, ...owner },
    });
    cluster.put(pod, parse(pod, { ...made, status: { ...made.status, startTime: timeOf(start) } }));
  }
}

const controllerOf = (uid: string) => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  name: "web",
  uid,
});
const targets: readonly (readonly [Kind, object])[] = [
  [replicaSet, aReplicaSet({ replicas: 2 }, { name: "web", uid: "t1" })],
  [statefulSet, aStatefulSet({ replicas: 2 }, { uid: "t1" })],
  [
    replicationController,
    parse(replicationController, {
      metadata: { name: "web", namespace: "default", uid: "t1" },
      spec: {
        replicas: 2,
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "web", image: "web:v1" }] },
        },
      },
    }),
  ],
  [deployment, aDeployment({ replicas: 2 }, { uid: "d1" })],
];

test.each(targets.map(([kind, object]) => ({ name: kind.kind, kind, object })))(
  "a $name is scaled by its pods' use, with the autoscaler in one transaction (S2)",
  ({ kind, object }) => {
    const { cluster, turn } = clusterWith(() => 100);
    cluster.put(kind, object);
    if (kind.kind === "Deployment") {
      const owner = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: "web",
        uid: "d1",
        controller: true,
      };
      cluster.put(
        replicaSet,
        aReplicaSet({ replicas: 2 }, { uid: "t1", ownerReferences: [owner] }),
      );
    }
    putPods(cluster, controllerOf("t1"));
    const scaleTargetRef = { apiVersion: apiVersionOf(kind), kind: kind.kind, name: "web" };
    cluster.put(horizontalPodAutoscaler, anAutoscaler({ scaleTargetRef }));
    const { ops = [] } = turn(now) ?? {};
    expect(ops.map(({ key }) => key).toSorted()).toEqual(
      [
        "horizontalpodautoscalers/autoscaling.default.web",
        `${kind.plural}${kind.group === "" ? "" : `/${kind.group}`}.default.web`,
      ].toSorted(),
    );
    const written = ops.map((op) => ("value" in op ? new TextDecoder().decode(op.value) : ""));
    expect(written.filter((text) => text.includes('"replicas":4'))).toHaveLength(1);
  },
);

test("an autoscaler of what idles writes nothing, however its use twitches", () => {
  let percent = 10;
  const { cluster, turn } = clusterWith(() => percent);
  const owner = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    name: "web",
    uid: "d1",
    controller: true,
  };
  cluster.put(deployment, aDeployment({ replicas: 2 }));
  cluster.put(replicaSet, aReplicaSet({ replicas: 2 }, { uid: "t1", ownerReferences: [owner] }));
  putPods(cluster, controllerOf("t1"));
  cluster.put(horizontalPodAutoscaler, anAutoscaler({ minReplicas: 2 }));
  const written: number[] = [];
  for (let nth = 0; nth < 600; nth += 1) {
    percent = 8 + (nth % 5);
    const { ops = [], wakeAt } = turn(now + nth * periodMs) ?? {};
    expect(wakeAt).toBe(now + (nth + 1) * periodMs);
    for (const op of ops) {
      written.push(nth);
      const text = "value" in op ? new TextDecoder().decode(op.value) : "{}";
      cluster.put(horizontalPodAutoscaler, parse(horizontalPodAutoscaler, JSON.parse(text)));
    }
  }
  // When it begins, and once the window lets it say that fewer would do.
  expect(written).toEqual([0, 150]);
});

test("who scales the same target is seen", () => {
  const { cluster, turn } = clusterWith(() => 100);
  cluster.put(deployment, aDeployment({ replicas: 2 }));
  cluster.put(horizontalPodAutoscaler, anAutoscaler());
  cluster.put(
    horizontalPodAutoscaler,
    anAutoscaler({}, { metadata: { name: "other", uid: "hpa2" } }),
  );
  const { ops = [] } = turn(now) ?? {};
  expect(ops.map(({ key }) => key)).toEqual(["horizontalpodautoscalers/autoscaling.default.web"]);
  const written = ops.map((op) => ("value" in op ? new TextDecoder().decode(op.value) : ""));
  expect(written.join("")).toContain("controlled by multiple HPAs: [other web]");
});
