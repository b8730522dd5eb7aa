import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controlSubject } from "../../../libs/protocol/subjects.ts";
import { refusals } from "../../../test/refusals.ts";

const { ask, gateway } = refusals(afterAll);
const base = "/apis/metrics.k8s.io/v1beta1";
const inDefault = `${base}/namespaces/default/pods`;

const used = { cpuNanoCores: 123_456_789, windowMs: 4_000, memoryBytes: 2_048_000 };
const usage = { cpu: "123456789n", memory: "2000Ki" };

beforeAll(async () => {
  const { bus } = await gateway();
  await ask("POST /api/v1/nodes", { body: { metadata: { name: "n1", labels: { zone: "a" } } } });
  const pods = [];
  for (const name of ["web", "db", "quiet"]) {
    const spec = { nodeName: "n1", containers: [{ name: "main", image: "any:v1" }] };
    const made = await ask("POST pods", {
      body: { metadata: { name, labels: { app: name } }, spec },
    });
    const { uid } = made.body["metadata"] as { uid: string };
    if (name !== "quiet")
      pods.push({ namespace: "default", name, uid, containers: [{ name: "main", ...used }] });
  }
  const message = { node: "n1", boot: "b1", sequence: 1, whole: used, pods };
  bus.publish(controlSubject("n1", "usage"), new TextEncoder().encode(JSON.stringify(message)));
});

const namesIn = (body: Record<string, unknown>) =>
  (body["items"] as { metadata: { name: string } }[])
    .map(({ metadata }) => metadata.name)
    .toSorted();

describe("metrics.k8s.io", () => {
  test("is announced", async () => {
    const { body } = await ask(`GET ${base}`);
    expect(body["resources"]).toMatchObject([
      { name: "nodes", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
      { name: "pods", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
    ]);
    const { body: documents } = await ask("GET /openapi/v3");
    expect(documents["paths"]).toHaveProperty(["apis/metrics.k8s.io/v1beta1"]);
    const { text } = await ask("GET /openapi/v3/apis/metrics.k8s.io/v1beta1");
    expect(text).toContain("PodMetrics");
    expect(text).not.toContain('"x-kubernetes-action":"patch"');
  });

  test("tells what a pod and a node use", async () => {
    expect((await ask(`GET ${inDefault}/web`)).body).toMatchObject({
      kind: "PodMetrics",
      apiVersion: "metrics.k8s.io/v1beta1",
      metadata: { name: "web", namespace: "default", labels: { app: "web" } },
      window: "4.000s",
      containers: [{ name: "main", usage }],
    });
    expect((await ask(`GET ${base}/nodes/n1`)).body).toMatchObject({
      kind: "NodeMetrics",
      metadata: { name: "n1", labels: { zone: "a" } },
      usage,
    });
  });

  test("lists what is known: a pod of which nothing was heard is absent (N1)", async () => {
    const { body } = await ask(`GET ${inDefault}`);
    expect(body).toMatchObject({ kind: "PodMetricsList" });
    expect(namesIn(body)).toEqual(["db", "web"]);
    expect(namesIn((await ask(`GET ${base}/pods`)).body)).toEqual(["db", "web"]);
    expect(namesIn((await ask(`GET ${base}/namespaces/other/pods`)).body)).toEqual([]);
    expect(namesIn((await ask(`GET ${base}/nodes`)).body)).toEqual(["n1"]);
  });

  test("selects by labels and by name", async () => {
    const listed = async (query: string) => namesIn((await ask(`GET ${inDefault}?${query}`)).body);
    expect(await listed("labelSelector=app%3Ddb")).toEqual(["db"]);
    expect(await listed("fieldSelector=metadata.name%3Dweb")).toEqual(["web"]);
    expect((await ask(`GET ${inDefault}?fieldSelector=spec.nodeName%3Dn1`)).code).toBe(400);
    expect(namesIn((await ask(`GET ${base}/nodes?labelSelector=zone%3Db`)).body)).toEqual([]);
  });

  test("is shown as a table too", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { body } = await ask(`GET ${inDefault}/web`, { accept });
    expect(body).toMatchObject({
      kind: "Table",
      rows: [{ cells: ["web", usage.cpu, usage.memory, "4.000s", "0s"] }],
    });
  });

  test.each([
    ["a pod of which nothing is known", `GET ${inDefault}/quiet`, 404, "podmetrics.metrics.k8s.io"],
    ["a pod that is not there", `GET ${inDefault}/gone`, 404, "podmetrics.metrics.k8s.io"],
    ["a node that is not there", `GET ${base}/nodes/n2`, 404, "nodemetrics.metrics.k8s.io"],
    ["a change", `DELETE ${base}/nodes/n1`, 405, "method"],
  ])("refuses %s", async (_name, request, code, said) => {
    const answer = await ask(request);
    expect(answer).toMatchObject({ code, body: { kind: "Status", status: "Failure" } });
    expect(answer.text).toContain(said);
  });
});
