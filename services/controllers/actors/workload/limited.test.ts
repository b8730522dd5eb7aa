import { expect, test } from "vitest";
import { parse } from "../../../../libs/model/errors.ts";
import { limitRange } from "../../../../libs/model/kinds/limitrange.ts";
import { namespace } from "../../../../libs/model/kinds/namespace.ts";
import { pod } from "../../../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../../../libs/model/kinds/replicaset.ts";
import { behaviourOf } from "../../behaviour.ts";
import { aNamespace, aReplicaSet, countingRandom, settings, start } from "../../fixtures.ts";
import { simulatedCluster } from "../../simulated-cluster.ts";
import { replicaSets } from "../replicaset.ts";

const aLimitRange = (limit: object) =>
  parse(limitRange, {
    metadata: { name: "limits", namespace: "default", uid: "l1" },
    spec: { limits: [{ type: "Container", ...limit }] },
  });

/** A ReplicaSet of two pods that say nothing of resources, in a namespace that limits them. */
function limited(limit: object) {
  const cluster = simulatedCluster();
  const nodes = { seen: () => undefined, judgeable: () => true };
  const told: string[] = [];
  const behaviour = behaviourOf(replicaSets, {
    nodes,
    settings,
    random: countingRandom(),
    record: ({ reason, message }) => void told.push(`${reason} ${message}`),
    view: cluster.view,
  });
  cluster.put(namespace, aNamespace("default"));
  cluster.put(limitRange, aLimitRange(limit));
  cluster.put(replicaSet, aReplicaSet({ replicas: 2 }));
  const settle = (now: number) => cluster.settle([behaviour], () => now);
  return { cluster, told, settle };
}

test("a ReplicaSet's pods get what they do not say", () => {
  const { cluster, settle } = limited({ default: { cpu: "1" } });
  expect(settle(start)).toBe(true);
  const made = cluster.view.list(pod).map(({ spec }) => spec.containers[0]?.resources);
  const resources = { requests: { cpu: "1" }, limits: { cpu: "1" } };
  expect(made).toEqual([resources, resources]);
});

test("a ReplicaSet says ReplicaFailure while the limits refuse its pods (O3)", () => {
  const { cluster, told, settle } = limited({ maxLimitRequestRatio: { cpu: "2" } });
  settle(start);
  const why =
    "is forbidden: cpu max limit to request ratio per Container is 2, but no request is specified or request is 0";
  expect(cluster.view.list(pod)).toEqual([]);
  expect(cluster.view.get(replicaSet, "default", "web-1")?.status?.conditions).toMatchObject([
    { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: `pods ${why}` },
  ]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^FailedCreate Error creating: pods "web-1-.+" is forbidden: /);

  cluster.put(limitRange, aLimitRange({}));
  expect(settle(start + 60_000)).toBe(true);
  expect(cluster.view.list(pod)).toHaveLength(2);
  expect(cluster.view.get(replicaSet, "default", "web-1")?.status?.conditions).toBeUndefined();
});
