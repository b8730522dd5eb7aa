/** A rolling update under load loses no request, and without the acknowledged drain it does (N6). */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const manifest = (drain: "on" | "off") => `
apiVersion: v1
kind: Namespace
metadata: { name: drain-${drain} }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: drain-${drain} }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata:
      labels: { app: web }
      annotations: { berth.dev/drain: "${drain}" }
    spec:
      containers:
        - name: web
          image: berth/hello:v1
          env: [{ name: EXIT_AT_SIGTERM, value: "1" }]
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: drain-${drain} }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

const requests = 400;
const perSecond = 20;

/** How many of `requests` requests of 200 ms, each on a connection of its own, failed. */
async function failuresUnderLoad(port: string): Promise<readonly string[]> {
  const failures: string[] = [];
  const pending: Promise<void>[] = [];
  for (let nth = 0; nth < requests; nth += 1) {
    pending.push(ask(port).catch((error: unknown) => void failures.push(String(error))));
    await sleep(1_000 / perSecond); // The load's rate, not a wait for something.
  }
  await Promise.all(pending);
  return failures;
}

async function ask(port: string): Promise<void> {
  const sent = request(`http://127.0.0.1:${port}/slow?ms=200`, { agent: false, timeout: 10_000 });
  sent.on("timeout", () => sent.destroy(new Error("no answer in 10 s")));
  sent.end();
  const [reply] = (await once(sent, "response")) as [IncomingMessage]; // Node's "response".
  const body = await reply.toArray();
  if (reply.statusCode !== 200 || body.length === 0) throw new Error(`status ${reply.statusCode}`);
}

/** Failed requests while the Deployment is rolled to v2, and back, and so on until the load ends. */
async function updateUnderLoad(drain: "on" | "off"): Promise<readonly string[]> {
  const kubectl = (...args: string[]) => cluster.kubectl(["-n", `drain-${drain}`, ...args]);
  await cluster.kubectl(["apply", "-f", "-"], manifest(drain));
  await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  const port = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
  await eventually("the node port answers", () => ask(port));
  const load = failuresUnderLoad(port);
  for (const version of ["v2", "v1"]) {
    await kubectl("set", "image", "deployment/web", `web=berth/hello:${version}`);
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  }
  return load;
}

describe("a rolling update of an app that dies at SIGTERM, under load", () => {
  test("fails no request", async () => {
    expect(await updateUnderLoad("on")).toEqual([]);
  });

  test("fails some without the acknowledged drain", async () => {
    expect((await updateUnderLoad("off")).length).toBeGreaterThan(0);
  });
});
