/** Services whose endpoints somebody writes by hand, and Endpoints of those that select pods. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (...args: string[]) => cluster.kubectl(args);

test("a Service without a selector routes to the Endpoints of its name", async () => {
  await kubectl("run", "web", "--image=berth/hello:v1", "--port=8080");
  await kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s");
  const ip = await kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}");
  await cluster.kubectl(
    ["apply", "-f", "-"],
    `
apiVersion: v1
kind: Service
metadata: { name: by-hand }
spec: { type: NodePort, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: by-hand }
subsets: [{ addresses: [{ ip: "${ip}" }], ports: [{ port: 8080 }] }]
`,
  );
  const path = "jsonpath={.spec.ports[0].nodePort}";
  const port = await kubectl("get", "service", "by-hand", "-o", path);
  await eventually("the Service answers", async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
    expect(await reply.json()).toMatchObject({ version: "v1" });
  });
  expect(await kubectl("get", "endpoints", "by-hand")).toMatch(
    new RegExp(`by-hand\\s+${ip.replaceAll(".", "\\.")}:8080`),
  );
  await kubectl("delete", "endpoints", "by-hand");
  await eventually("its slices went with it", async () => {
    const mine = ["-l", "kubernetes.io/service-name=by-hand", "-o", "name"];
    expect(await kubectl("get", "endpointslices", ...mine)).toBe("");
  });
});

test("Endpoints of a Service that selects pods follow them", async () => {
  await kubectl("expose", "pod", "web", "--port=80", "--target-port=8080");
  const shown = () => kubectl("get", "endpoints", "web");
  await eventually("they name the pod", async () =>
    expect(await shown()).toMatch(/web\s+10\.\d+\.\d+\.\d+:8080/),
  );
  await kubectl("delete", "pod", "web");
  await eventually("they name none", async () => expect(await shown()).toMatch(/web\s+<none>/));
  await kubectl("delete", "service", "web");
  await eventually("they went with the Service", async () =>
    expect(await kubectl("get", "endpoints", "-o", "name")).toBe(""),
  );
});
