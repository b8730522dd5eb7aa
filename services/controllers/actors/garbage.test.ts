import { describe, expect, test } from "vitest";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
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
import { garbageCollectors } from "./garbage.ts";
import { namespaces } from "./namespace.ts";
import { pods } from "./pod.ts";

const ending = { deletionTimestamp: "2026-01-01T00:00:00Z" };
const above = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  name: "web",
  uid: "d1",
  controller: true,
  blockOwnerDeletion: true,
};
const below = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name: "web-1",
  uid: "rs1",
  controller: true,
  blockOwnerDeletion: true,
};

function open() {
  const cluster = simulatedCluster();
  const nodes = { seen: () => undefined, judgeable: () => true };
  const ports = {
    nodes,
    settings,
    random: countingRandom(),
    record: () => undefined,
    view: cluster.view,
  };
  const behaviours = [...garbageCollectors, namespaces, pods].map((one) => behaviourOf(one, ports));
  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  return { cluster, settle: () => cluster.settle(behaviours, () => start) };
}

describe("garbage", () => {
  test("is what outlived its owners, all the way down", () => {
    const { cluster, settle } = open();
    cluster.put(replicaSet, aReplicaSet({}, { ownerReferences: [above] }));
    cluster.put(pod, aPod("web-1-a", { owner: below }));
    settle();
    expect(cluster.view.list(replicaSet)).toEqual([]);
    expect(cluster.view.list(pod)).toEqual([]);
  });

  test("is not what one owner of several still holds; the others are forgotten", () => {
    const { cluster, settle } = open();
    cluster.put(deployment, aDeployment());
    const gone = { ...above, uid: "d0", name: "other", controller: false };
    cluster.put(replicaSet, aReplicaSet({}, { ownerReferences: [above, gone] }));
    settle();
    expect(cluster.view.list(replicaSet)[0]?.metadata.ownerReferences).toEqual([above]);
  });

  test("of an owner that ends in the foreground goes before it", () => {
    const { cluster, settle } = open();
    cluster.put(deployment, aDeployment({}, { ...ending, finalizers: ["foregroundDeletion"] }));
    cluster.put(replicaSet, aReplicaSet({}, { ownerReferences: [above] }));
    cluster.put(pod, aPod("web-1-a", { owner: below, node: "n1" }));
    settle();
    const [doomed] = cluster.view.list(pod);
    expect(doomed?.metadata.deletionTimestamp).toBeDefined(); // Its agent has the last word (O6).
    expect(cluster.view.list(deployment)).toHaveLength(1);
    cluster.commit([
      {
        op: "delete",
        key: "pods.default.web-1-a",
        expect: Number(doomed?.metadata.resourceVersion),
        last: new Uint8Array(),
      },
    ]);
    settle();
    expect([...cluster.view.list(deployment), ...cluster.view.list(replicaSet)]).toEqual([]);
  });

  test("is left behind by an owner that orphans it", () => {
    const { cluster, settle } = open();
    cluster.put(deployment, aDeployment({}, { ...ending, finalizers: ["orphan"] }));
    cluster.put(replicaSet, aReplicaSet({}, { ownerReferences: [above] }));
    settle();
    expect(cluster.view.list(deployment)).toEqual([]);
    expect(cluster.view.list(replicaSet)[0]?.metadata.ownerReferences).toBeUndefined();
  });

  test("is whatever has no namespace any more (O5)", () => {
    const { cluster, settle } = open();
    cluster.put(pod, aPod("late", { metadata: { namespace: "gone" } }));
    settle();
    expect(cluster.view.list(pod)).toEqual([]);
  });
});

describe("a Namespace", () => {
  test("that is being deleted is emptied, waits for its pods, and goes", () => {
    const { cluster, settle } = open();
    const shop = aNamespace("shop");
    cluster.put(namespace, { ...shop, metadata: { ...shop.metadata, ...ending } });
    cluster.put(deployment, aDeployment({}, { namespace: "shop" }));
    cluster.put(pod, aPod("bound", { node: "n1", metadata: { namespace: "shop" } }));
    settle();
    expect(cluster.view.list(deployment)).toEqual([]);
    expect(cluster.view.get(namespace, undefined, "shop")).toBeDefined();
    const [left] = cluster.view.list(pod);
    cluster.commit([
      {
        op: "delete",
        key: "pods.shop.bound",
        expect: Number(left?.metadata.resourceVersion),
        last: new Uint8Array(),
      },
    ]);
    settle();
    expect(cluster.view.get(namespace, undefined, "shop")).toBeUndefined();
  });

  test("stands by default four times", () => {
    const { cluster, settle } = open();
    settle();
    const names = cluster.view.list(namespace).map(({ metadata }) => metadata.name);
    expect(names.toSorted()).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
  });
});

test("a Pod goes with its Node, its assignment too (O6)", () => {
  const { cluster, settle } = open();
  cluster.put(pod, aPod("stays", { node: "n1" }));
  cluster.put(pod, aPod("goes", { node: "n2" }));
  settle();
  expect(cluster.view.list(pod).map(({ metadata }) => metadata.name)).toEqual(["stays"]);
  expect(cluster.view.raw.get("assign.n2.default.goes")).toBeUndefined();
  expect(cluster.view.raw.get("assign.n1.default.stays")).toBeDefined();
});
