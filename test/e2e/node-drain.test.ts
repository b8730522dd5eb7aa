/** kubectl empties a node of its pods, as fast as their budget permits and no faster. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandFailed } from "../../scripts/tools/run.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { watchPods } from "../watch-pods.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 2, apis: 2, controllers: 2 });
  await eventually("both nodes are there", async () =>
    expect((await cluster.kubectl(["get", "nodes"])).match(/ Ready /g)).toHaveLength(2),
  );
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (...args: string[]) => cluster.kubectl(args);
const [replicas, minAvailable] = [4, 3];
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: { matchLabels: { app: web } }
      containers:
        - name: web
          image: berth/hello:v1
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec:
  minAvailable: ${minAvailable}
  selector: { matchLabels: { app: web } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: log }
spec:
  selector: { matchLabels: { app: log } }
  template:
    metadata: { labels: { app: log } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: log, image: "berth/hello:v1" }]
`;
const nodesOf = async (app: string) => {
  const path = "jsonpath={.items[*].spec.nodeName}";
  return (await kubectl("get", "pods", "-l", `app=${app}`, "-o", path)).split(" ").toSorted();
};
const drain = (...options: string[]) =>
  kubectl("drain", "node-2", "--delete-emptydir-data", ...options);

test("kubectl drain keeps the budget at every moment, and leaves the DaemonSet's pods", async () => {
  await cluster.kubectl(["apply", "-f", "-"], manifest);
  await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  await kubectl("rollout", "status", "daemonset/log", "--timeout=60s");
  expect(new Set(await nodesOf("web"))).toEqual(new Set(["node-1", "node-2"]));
  await eventually("the budget has counted them", async () =>
    expect(await kubectl("get", "pdb", "web")).toMatch(/web\s+3\s+N\/A\s+1\s/),
  );
  const promised = { replicas, surge: 1, unavailable: replicas - minAvailable };
  await using watch = await watchPods(cluster, "default", "app=web", promised);
  watch.settled();

  const refused = await drain("--timeout=30s").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CommandFailed);
  expect(String(refused)).toContain("cannot delete DaemonSet-managed Pods");

  const said = await drain("--ignore-daemonsets", "--timeout=100s");
  expect(said).toContain("node/node-2 drained");
  await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  expect(await nodesOf("web")).toEqual(Array.from({ length: replicas }, () => "node-1"));
  expect(await nodesOf("log")).toEqual(["node-1", "node-2"]);
  await watch.caughtUp();
  const { broken, lost, fewestAvailable } = watch.report();
  expect({ broken, lost }).toEqual({ broken: [], lost: [] });
  expect(fewestAvailable).toBeGreaterThanOrEqual(minAvailable);
  expect(await kubectl("get", "node", "node-2")).toContain("SchedulingDisabled");
});

test("an eviction that the budget forbids is refused, and says which budget", async () => {
  await kubectl("uncordon", "node-2");
  await kubectl("patch", "pdb", "web", "-p", `{"spec":{"minAvailable":${replicas}}}`);
  await eventually("the budget allows none", async () =>
    expect(await kubectl("get", "pdb", "web")).toMatch(/web\s+4\s+N\/A\s+0\s/),
  );
  const pod = (await kubectl("get", "pods", "-l", "app=web", "-o", "name")).split("\n")[0] ?? "";
  const name = pod.replace("pod/", "");
  const body = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: "default" },
  };
  const path = `/api/v1/namespaces/default/pods/${name}/eviction`;
  const refused = await cluster
    .kubectl(["create", "--raw", path, "-f", "-"], JSON.stringify(body))
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CommandFailed);
  expect(String(refused)).toContain(
    "Cannot evict pod as it would violate the pod's disruption budget.",
  );
  expect(await kubectl("get", "pod", name, "-o", "jsonpath={.metadata.deletionTimestamp}")).toBe(
    "",
  );
});
