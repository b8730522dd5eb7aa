/** One object in two versions, as the gateway serves it. */
import { afterAll, expect, test } from "vitest";
import { mergePatch, refusals } from "../../../test/refusals.ts";

const { ask } = refusals(afterAll);
const path = (version: string) =>
  `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const cpu = (averageUtilization: number) => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});
const memory = {
  type: "Resource",
  resource: { name: "memory", target: { type: "AverageValue", averageValue: "100Mi" } },
};

test("what is made in one version is read, listed and changed in the other", async () => {
  const spec = { scaleTargetRef, maxReplicas: 4, targetCPUUtilizationPercentage: 50 };
  const made = await ask(`POST ${path("v1")}`, { body: { metadata: { name: "old" }, spec } });
  expect(made).toMatchObject({ code: 201, body: { apiVersion: "autoscaling/v1", spec } });

  const read = await ask(`GET ${path("v2")}/old`);
  expect(read.body).toMatchObject({ apiVersion: "autoscaling/v2", spec: { metrics: [cpu(50)] } });
  const listed = await ask(`GET ${path("v1")}`);
  expect(listed.body["items"]).toMatchObject([{ apiVersion: "autoscaling/v1", spec }]);

  const metrics = [cpu(50), memory];
  await ask(`PATCH ${path("v2")}/old`, mergePatch({ spec: { metrics } }));
  const change = mergePatch({ spec: { targetCPUUtilizationPercentage: 70 } });
  const changed = await ask(`PATCH ${path("v1")}/old`, change);
  expect(changed.body).toMatchObject({ spec: { targetCPUUtilizationPercentage: 70 } });
  const after = await ask(`GET ${path("v2")}/old`);
  expect(after.body).toMatchObject({ spec: { metrics: [cpu(70), memory] } });
  expect(JSON.stringify(after.body)).not.toContain("alpha.kubernetes.io");

  const gone = await ask(`DELETE ${path("v1")}/old`);
  expect(gone).toMatchObject({ code: 200, body: { status: "Success" } });
});

test("a version's fields are its own", async () => {
  const spec = { scaleTargetRef, maxReplicas: 4, metrics: [memory] };
  const sent = { body: { metadata: { name: "bad" }, spec } };
  const refused = await ask(`POST ${path("v1")}?fieldValidation=Strict`, sent);
  expect(refused.code).toBe(400);
  expect(refused.text).toContain("spec.metrics");
});

test("a group tells its versions, the stored one first", async () => {
  const group = await ask("GET /apis/autoscaling");
  expect(group.body).toMatchObject({
    preferredVersion: { version: "v2" },
    versions: [{ version: "v2" }, { version: "v1" }],
  });
});

test("an Event is read in the group that its writer did not know", async () => {
  const events = (group: string) => `/${group}/namespaces/default/events`;
  const regarding = { kind: "Pod", namespace: "default", name: "web" };
  const sent = {
    metadata: { name: "web.1" },
    eventTime: "2026-01-31T12:00:00.000000Z",
    reportingController: "example.com/controller",
    reportingInstance: "controller-1",
    action: "Binding",
    reason: "Scheduled",
    type: "Normal",
    note: "it fits",
    regarding,
  };
  const made = await ask(`POST ${events("apis/events.k8s.io/v1")}`, { body: sent });
  expect(made).toMatchObject({ code: 201, body: { apiVersion: "events.k8s.io/v1", ...sent } });

  const read = await ask(`GET ${events("api/v1")}/web.1`);
  expect(read.body).toMatchObject({
    apiVersion: "v1",
    message: "it fits",
    involvedObject: regarding,
    reportingComponent: "example.com/controller",
  });
  const selected = await ask(
    `GET ${events("apis/events.k8s.io/v1")}?fieldSelector=reason=Scheduled`,
  );
  expect(selected.body["items"]).toMatchObject([{ note: "it fits" }]);
});
