/** The story of a Kubernetes introduction, told with unmodified kubectl. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1, controllers: 2, schedulers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const namespace = "introduction";
const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { GREETING: Ahoy }
---
apiVersion: v1
kind: Secret
metadata: { name: web }
stringData: { PASSWORD: open-sesame }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: berth/hello:v1
          ports: [{ containerPort: 8080 }]
          envFrom: [{ configMapRef: { name: web } }, { secretRef: { name: web } }]
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

const inNamespace = (...args: string[]) => cluster.kubectl(["-n", namespace, ...args]);
const rolledOut = () => inNamespace("rollout", "status", "deployment/web", "--timeout=90s");
const jsonpath = (resource: string, path: string) =>
  inNamespace("get", ...resource.split(" "), "-o", `jsonpath=${path}`);

/** Answers of `count` requests to the Service's node port, each on a connection of its own. */
async function answers(count: number): Promise<readonly Answer[]> {
  const port = await jsonpath("service web", "{.spec.ports[0].nodePort}");
  const ask = async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(5_000),
    });
    return (await reply.json()) as Answer; // What examples/hello/server.mjs answers.
  };
  const all: Answer[] = [];
  for (let nth = 0; nth < count; nth += 1) all.push(await ask());
  return all;
}
type Answer = {
  readonly version: string;
  readonly pod: string;
  readonly env: Record<string, string>;
};

describe("kubectl tells the introduction's story", () => {
  test("a Deployment, its Service and its configuration are applied and answer", async () => {
    await cluster.kubectl(["create", "namespace", namespace]);
    await cluster.kubectl(["-n", namespace, "apply", "-f", "-"], manifest);
    expect(await rolledOut()).toContain("successfully rolled out");
    const all = await eventually("the node port answers", () => answers(30));
    expect(new Set(all.map(({ pod }) => pod)).size).toBe(3);
    expect(all[0]).toMatchObject({
      version: "v1",
      env: { GREETING: "Ahoy", PASSWORD: "open-sesame" },
    });
  });

  test("get and describe show it", async () => {
    expect(await inNamespace("get", "deployments")).toMatch(
      /NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+3\/3/,
    );
    expect(await inNamespace("get", "pods")).toMatch(/web-\S+\s+1\/1\s+Running\s+0/);
    expect(await inNamespace("describe", "deployment", "web")).toContain("ScalingReplicaSet");
  });

  test("logs and exec reach a container", async () => {
    const pod = await jsonpath("pods", "{.items[0].metadata.name}");
    expect(await inNamespace("exec", pod, "--", "sh", "-c", "echo $GREETING")).toBe("Ahoy\n");
    expect(await inNamespace("logs", pod)).not.toBe("");
  });

  test("scale adds pods and takes them away", async () => {
    await inNamespace("scale", "deployment/web", "--replicas=5");
    await rolledOut();
    expect((await jsonpath("pods", "{.items[*].metadata.name}")).split(" ")).toHaveLength(5);
    await inNamespace("scale", "deployment/web", "--replicas=2");
    await eventually("three pods are gone", async () => {
      expect((await jsonpath("pods", "{.items[*].metadata.name}")).split(" ")).toHaveLength(2);
    });
  });

  test("a new image rolls out, shows in the history, and is undone", async () => {
    await inNamespace("set", "image", "deployment/web", "web=berth/hello:v2");
    await rolledOut();
    await eventually("only v2 answers", async () => {
      expect(new Set((await answers(6)).map(({ version }) => version))).toEqual(new Set(["v2"]));
    });
    expect(await inNamespace("rollout", "history", "deployment/web")).toMatch(/^1\s[\s\S]*^2\s/m);
    await inNamespace("rollout", "undo", "deployment/web");
    await rolledOut();
    await eventually("only v1 answers", async () => {
      expect(new Set((await answers(6)).map(({ version }) => version))).toEqual(new Set(["v1"]));
    });
  });

  test("a deleted namespace takes everything with it", async () => {
    await cluster.kubectl(["delete", "namespace", namespace, "--timeout=100s"]);
    await expect(inNamespace("get", "deployment", "web")).rejects.toThrow("not found");
  });
});
