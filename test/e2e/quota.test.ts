/** What a namespace may use together, and what becomes of who wants more. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandFailed } from "../../scripts/tools/run.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1, apis: 2, controllers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const inTeam = (...args: string[]) => cluster.kubectl(["-n", "team", ...args]);

test("a Deployment gets as many pods as its namespace's quota allows, and the rest when it is raised", async () => {
  await cluster.kubectl(["create", "namespace", "team"]);
  await inTeam("create", "quota", "team", "--hard=pods=2,requests.cpu=1,configmaps=2");
  // Every namespace has the ConfigMap of the cluster's authority, which counts as any other.
  await eventually("the quota is counted", async () =>
    expect(await inTeam("get", "quota", "team")).toMatch(
      /team\s+configmaps: 1\/2, pods: 0\/2, requests\.cpu: 0\/1/,
    ),
  );
  await cluster.kubectl(
    ["apply", "-f", "-"],
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: team }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - { name: web, image: "berth/hello:v1", resources: { requests: { cpu: 10m } } }
`,
  );
  await eventually("two pods run", async () =>
    expect(await inTeam("get", "deployment", "web")).toMatch(/web\s+2\/3/),
  );
  expect(await inTeam("get", "quota", "team")).toMatch(/pods: 2\/2, requests\.cpu: 20m\/1/);
  const described = await inTeam("describe", "deployment", "web");
  expect(described).toMatch(/ReplicaFailure\s+True\s+FailedCreate/);
  await eventually("an Event tells why", async () =>
    expect(await inTeam("get", "events", "--field-selector=reason=FailedCreate")).toContain(
      "exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2",
    ),
  );

  await inTeam("patch", "quota", "team", "-p", '{"spec":{"hard":{"pods":"3"}}}');
  await inTeam("rollout", "status", "deployment/web", "--timeout=60s");
  expect(await inTeam("describe", "deployment", "web")).not.toContain("ReplicaFailure");

  await inTeam("scale", "deployment/web", "--replicas=1");
  await eventually("what went is given back", async () =>
    expect(await inTeam("get", "quota", "team")).toMatch(/pods: 1\/3, requests\.cpu: 10m\/1/),
  );
});

test("a request beyond the quota is refused, and says what is used", async () => {
  await inTeam("create", "configmap", "one");
  const refused = await inTeam("create", "configmap", "two").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CommandFailed);
  expect(String(refused)).toContain(
    'configmaps "two" is forbidden: exceeded quota: team, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
  );
  const bare = await inTeam("run", "bare", "--image=berth/hello:v1").catch(
    (error: unknown) => error,
  );
  expect(String(bare)).toContain("failed quota: team: must specify requests.cpu for: bare");
});

test("every namespace has the account that its pods are by default", async () => {
  expect(await inTeam("get", "serviceaccounts")).toMatch(/default\s+0\s/);
  const account = "jsonpath={.items[0].spec.serviceAccountName}";
  expect(await inTeam("get", "pods", "-o", account)).toBe("default");
  await inTeam("create", "serviceaccount", "robot");
  await inTeam("delete", "serviceaccount", "default");
  await eventually("it is made again", async () =>
    expect(await inTeam("get", "sa", "-o", "name")).toBe(
      "serviceaccount/default\nserviceaccount/robot\n",
    ),
  );
});
