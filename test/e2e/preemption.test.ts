/** Pods of a higher priority displace those of a lower, the cheapest that do, and no more than budgets allow. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { quantityMilli } from "../../libs/model/quantity.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { watchPods } from "../watch-pods.ts";

let cluster: TestCluster;
/** A hundredth of the node's processors, in thousandths of one. */
let hundredth: number;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  hundredth = await eventually("the node says what it has", async () => {
    const cpu = await kubectl("get", "node", "node-1", "-o", "jsonpath={.status.allocatable.cpu}");
    if (cpu === "") throw new Error("not yet");
    return Math.floor(quantityMilli(cpu) / 100);
  });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (...args: string[]) => cluster.kubectl(args);
const cpu = (hundredths: number) => `${hundredths * hundredth}m`;
const deployment = (name: string, of: { cpu: string; priorityClassName?: string }) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 1
      ${of.priorityClassName === undefined ? "" : `priorityClassName: ${of.priorityClassName}`}
      containers:
        - name: main
          image: berth/hello:v1
          resources: { requests: { cpu: ${of.cpu} } }
---
`;
const priorityClass = (name: string, value: number) => `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: ${name} }
value: ${value}
---
`;
const critical = (name: string, request: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  priorityClassName: critical
  containers:
    - { name: main, image: "berth/hello:v1", resources: { requests: { cpu: ${request} } } }
`;
const budget = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec:
  minAvailable: 2
  selector: { matchLabels: { app: web } }
`;
const apply = (manifest: string) => cluster.kubectl(["apply", "-f", "-"], manifest);
const rolledOut = (name: string) =>
  kubectl("rollout", "status", `deployment/${name}`, "--timeout=60s");

test("the cheapest set goes, budgets hold, and the displaced come back when there is room", async () => {
  await apply(
    [
      priorityClass("critical", 1_000),
      priorityClass("cheap", -10),
      deployment("web", { cpu: cpu(24) }),
      deployment("batch", { cpu: cpu(24), priorityClassName: "cheap" }),
      budget,
    ].join(""),
  );
  await Promise.all(["web", "batch"].map(rolledOut));
  await eventually("the budget has counted its pods", async () =>
    expect(await kubectl("get", "pdb", "web")).toMatch(/web\s+2\s+N\/A\s+0\s/),
  );
  const promised = { replicas: 2, surge: 0, unavailable: 0 };
  await using watch = await watchPods(cluster, "default", "app=web", promised);
  watch.settled();
  const names = async (app: string) =>
    (await kubectl("get", "pods", "-l", `app=${app}`, "-o", "name")).trim().split("\n").toSorted();
  const [web, displaced] = [await names("web"), await names("batch")];

  await apply(critical("first", cpu(40)));
  await kubectl("wait", "--for=condition=Ready", "pod/first", "--timeout=60s");
  const left = await names("batch");
  expect(left.filter((one) => displaced.includes(one))).toEqual([]);
  await eventually("a successor says what it waits for", async () =>
    expect(await kubectl("describe", left[0] ?? "")).toMatch(
      /FailedScheduling .*0\/1 nodes are available: 1 Insufficient cpu/,
    ),
  );
  expect(await kubectl("get", "events", "--field-selector=reason=Preempted")).toMatch(
    /Preempted by pod [-0-9a-f]+ on node node-1/,
  );

  // Only what the budget protects could make way for it.
  await apply(critical("second", cpu(30)));
  await eventually("it says that it does not fit", async () =>
    expect(await kubectl("describe", "pod", "second")).toContain("Insufficient cpu"),
  );
  expect(await names("web")).toEqual(web);

  await kubectl("delete", "pod", "first");
  await kubectl("wait", "--for=condition=Ready", "pod/second", "--timeout=60s");
  await kubectl("delete", "pod", "second");
  await rolledOut("batch");
  expect(await names("web")).toEqual(web);
  await watch.caughtUp();
  const { broken, lost } = watch.report();
  expect({ broken, lost }).toEqual({ broken: [], lost: [] });
});
