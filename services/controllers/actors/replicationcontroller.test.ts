import { expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { replicationController } from "../../../libs/model/kinds/replicationcontroller.ts";
import { behaviourOf } from "../behaviour.ts";
import { aNamespace, aNode, aPod, countingRandom, settings, start } from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { podBecomes } from "../simulated-pods.ts";
import { replicationControllers } from "./replicationcontroller.ts";

test("a ReplicationController makes what its plain selector lacks, and counts it", () => {
  const cluster = simulatedCluster();
  const nodes = { seen: () => undefined, judgeable: () => true };
  const ports = { nodes, settings, random: countingRandom(), record: () => undefined };
  const behaviour = behaviourOf(replicationControllers, { ...ports, view: cluster.view });
  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  cluster.put(pod, aPod("stray"));
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "web:v1" }] },
  };
  const metadata = { name: "web", namespace: "default", uid: "rc1", generation: 1 };
  cluster.put(
    replicationController,
    parse(replicationController, { metadata, spec: { replicas: 3, template } }),
  );
  cluster.settle([behaviour], () => start);
  const all = cluster.view.list(pod);
  expect(all).toHaveLength(3);
  for (const one of all) {
    expect(one.metadata.ownerReferences).toMatchObject([{ uid: "rc1" }]);
    podBecomes(cluster, one, "ready", start);
  }
  expect(cluster.settle([behaviour], () => start)).toBe(true);
  expect(cluster.view.get(replicationController, "default", "web")?.status).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    observedGeneration: 1,
  });
});
