import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allow,
  config,
  configMaps,
  patched,
  type Answering,
  webhooksOf,
} from "../../../test/admission-webhooks.ts";
import { mergePatch, named } from "../../../test/refusals.ts";

const { ask, refused, gateway, server, answer, configured } = webhooksOf({ beforeAll, afterAll });

describe("a webhook that cannot be asked", () => {
  const silent: Answering = () => undefined;
  const nowhere = { url: "https://127.0.0.1:1/x" };

  test("fails the request when its time is over", async () => {
    await using _hook = await configured("validating", "slow", {
      timeoutSeconds: 1,
      answers: silent,
    });
    const { code, body } = await refused("POST configmaps", config("f1"));
    expect([code, body["reason"]]).toEqual([500, "InternalError"]);
    expect(body["message"]).toMatch(
      /^Internal error occurred: failed calling webhook "hook-0.slow.example.com": failed to call webhook: Post "https:\/\/127.0.0.1:\d+\/validating\/slow\/0\?timeout=1s": context deadline exceeded$/,
    );
  });

  test("is ignored where that is its policy", async () => {
    await using _hook = await configured(
      "mutating",
      "ignored",
      { failurePolicy: "Ignore", clientConfig: nowhere, answers: silent },
      { failurePolicy: "Ignore", answers: () => ({ allowed: true, patch: "e30=" }) },
      { failurePolicy: "Ignore", timeoutSeconds: 1, answers: silent },
    );
    expect((await ask("POST configmaps", config("f2"))).code).toBe(201);
  });

  test("is reached as a Service once that has an endpoint that is ready", async () => {
    const service = { name: "hooks", namespace: "default", path: "/check", port: 8_443 };
    await using _hook = await configured("validating", "service", {
      clientConfig: { service, caBundle: server().caBundle },
      answers: allow,
    });
    answer("/check", () => ({ allowed: true, warnings: ["reached"] }));
    const failure = async () => (await refused("POST configmaps", config("f3"))).body["message"];
    const said = (why: string) =>
      `Internal error occurred: failed calling webhook "hook-0.service.example.com": failed to call webhook: Post "https://hooks.default.svc:8443/check?timeout=10s": ${why}`;
    expect(await failure()).toBe(said('service "hooks" not found'));
    const spec = { clusterIP: "None", ports: [{ port: 443 }] };
    await ask("POST services", { body: { ...named("hooks"), spec } });
    expect(await failure()).toBe(said('no service port 8443 found for service "hooks"'));
    await ask("PATCH services/hooks", mergePatch({ spec: { ports: [{ port: 8_443 }] } }));
    expect(await failure()).toBe(said('no endpoints available for service "hooks"'));
    const slice = (ready: boolean) => ({
      metadata: { name: "hooks-a", labels: { "kubernetes.io/service-name": "hooks" } },
      addressType: "IPv4",
      ports: [{ port: server().port }],
      endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready } }],
    });
    const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    await ask(`POST ${slices}`, { body: slice(false) });
    expect(await failure()).toBe(said('no endpoints available for service "hooks"'));
    await ask(`PUT ${slices}/hooks-a`, { body: slice(true) });
    const { code, warnings } = await ask("POST configmaps", config("f3"));
    expect([code, warnings]).toEqual([201, ['299 - "reached"']]);
  });
});

describe("what concerns a webhook", () => {
  test.each([
    { name: "objectSelector", webhook: { objectSelector: { matchLabels: { mesh: "on" } } } },
    {
      name: "matchConditions",
      webhook: {
        matchConditions: [
          { name: "labelled", expression: "has(object.metadata.labels)" },
          { name: "on", expression: "object.metadata.labels.mesh == 'on'" },
        ],
      },
    },
  ])("is told by its $name", async ({ name, webhook }) => {
    await using hook = await configured("validating", name.toLowerCase(), {
      ...webhook,
      answers: () => ({ allowed: false }),
    });
    expect((await ask("POST configmaps", config(`s1-${name.toLowerCase()}`))).code).toBe(201);
    expect(hook.asked()).toEqual([]);
    const on = config(`s2-${name.toLowerCase()}`, { labels: { mesh: "on" } });
    expect((await refused("POST configmaps", on)).code).toBe(400);
  });

  test("is told by its namespaceSelector", async () => {
    await ask("POST /api/v1/namespaces", {
      body: { metadata: { name: "meshed", labels: { mesh: "on" } } },
    });
    await using hook = await configured("validating", "namespaces", {
      rules: [{ ...configMaps, resources: ["*"] }],
      namespaceSelector: { matchLabels: { mesh: "on" } },
      answers: allow,
    });
    await ask("POST configmaps", config("n1"));
    await ask("POST /api/v1/namespaces/meshed/configmaps", config("n1"));
    await ask("PATCH /api/v1/namespaces/meshed", mergePatch({ metadata: { labels: { a: "b" } } }));
    await ask("POST /api/v1/namespaces", { body: named("unmeshed") });
    const about = hook.asked().map(({ request }) => [request["name"], request["namespace"]]);
    expect(about).toEqual([
      ["n1", "meshed"],
      ["meshed", "meshed"],
    ]);
  });

  test.each([
    ["authorizer.requestResource.check('create').allowed()", 400],
    ["authorizer.path('/healthz').check('get').allowed()", 400],
    ["!authorizer.group('').resource('secrets').namespace('x').check('get').allowed()", 201],
  ])("is told what who asks may do: %s", async (expression, code) => {
    await using _hook = await configured("validating", "may", {
      matchConditions: [{ name: "may", expression }],
      answers: () => ({ allowed: false }),
    });
    expect((await ask("POST configmaps", config("may"))).code).toBe(code);
  });

  test("fails where its conditions cannot be evaluated and none is false", async () => {
    const matchConditions = [{ name: "x", expression: "object.metadata.labels.mesh == 'on'" }];
    {
      await using _fails = await configured("validating", "broken", {
        matchConditions,
        answers: allow,
      });
      const { code, body } = await refused("POST configmaps", config("c1"));
      expect([code, body["reason"]]).toEqual([403, "Forbidden"]);
      expect(body["message"]).toContain('configmaps "c1" is forbidden: ');
      expect(body["message"]).toContain("no such key: labels");
    }
    await using _ignores = await configured("validating", "broken", {
      matchConditions,
      failurePolicy: "Ignore",
      answers: () => ({ allowed: false }),
    });
    expect((await ask("POST configmaps", config("c1"))).code).toBe(201);
  });

  test("is a subresource only when it is named", async () => {
    await ask("POST pods", {
      body: { ...named("sub"), spec: { containers: [{ name: "a", image: "a" }] } },
    });
    const rule = { ...configMaps, operations: ["*"] };
    await using pods = await configured("validating", "pods", {
      rules: [{ ...rule, resources: ["pods"] }],
      answers: allow,
    });
    await using parts = await configured("mutating", "parts", {
      rules: [{ ...rule, apiGroups: ["*"], resources: ["pods/*", "*/scale"] }],
      answers: ({ subResource }) =>
        subResource === "scale"
          ? patched({ op: "replace", path: "/spec/replicas", value: 3 })
          : { allowed: true },
    });
    const status = { status: { message: "hm" } };
    await ask("PATCH pods/sub/status", mergePatch(status));
    const scaled = await ask("PATCH deployments/web/scale", mergePatch({ spec: { replicas: 2 } }));
    expect(scaled.body).toMatchObject({ spec: { replicas: 3 } });
    const target = { apiVersion: "v1", kind: "Node", name: "n1" };
    await ask("POST pods/sub/binding", { body: { target } });
    await ask("POST pods/sub/eviction", { body: { metadata: { name: "sub" } } });
    expect(pods.asked()).toEqual([]);
    const about = parts.asked().map(({ request }) => ({
      part: request["subResource"],
      operation: request["operation"],
      kind: request.object?.kind,
      old: request.oldObject?.kind,
    }));
    expect(about).toEqual([
      { part: "status", operation: "UPDATE", kind: "Pod", old: "Pod" },
      { part: "scale", operation: "UPDATE", kind: "Scale", old: "Scale" },
      { part: "binding", operation: "CREATE", kind: "Binding", old: undefined },
      { part: "eviction", operation: "CREATE", kind: "Eviction", old: undefined },
    ]);
    expect(parts.asked()[0]?.request.object).toMatchObject(status);
  });

  test("is another version of the same object, converted, unless it must be exact", async () => {
    const autoscaling = {
      operations: ["CREATE"],
      apiGroups: ["autoscaling"],
      apiVersions: ["v1"],
      resources: ["horizontalpodautoscalers"],
    };
    await using hook = await configured("mutating", "equivalent", {
      rules: [autoscaling],
      answers: () =>
        patched({ op: "replace", path: "/spec/targetCPUUtilizationPercentage", value: 70 }),
    });
    await using exact = await configured("validating", "exact", {
      rules: [autoscaling],
      matchPolicy: "Exact",
      answers: allow,
    });
    const spec = {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 3,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    };
    const { code, body } = await ask(
      "POST /apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
      { body: { ...named("web"), spec } },
    );
    expect(code).toBe(201);
    expect(JSON.stringify(body)).toContain('"averageUtilization":70');
    expect(hook.asked()[0]?.request).toMatchObject({
      kind: { group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler" },
      resource: { version: "v1" },
      requestKind: { version: "v2" },
      object: { apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 50 } },
    });
    expect(exact.asked()).toEqual([]);
  });
});

describe("a connection", () => {
  /** What answers a request for an upgrade. */
  async function upgrade(path: string): Promise<{ readonly code: number; readonly text: string }> {
    const { server: origin, authority, token } = await gateway();
    const headers = {
      authorization: `Bearer ${token}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol": "v5.channel.k8s.io",
    };
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, origin), { headers, ca: authority }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () =>
          resolve({ code: reply.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  test("is denied before it is made", async () => {
    const pod = "/api/v1/namespaces/default/pods/connected";
    const spec = { containers: [{ name: "a", image: "a" }] };
    await ask("POST pods", { body: { ...named("connected"), spec } });
    await using hook = await configured("validating", "connect", {
      rules: [{ ...configMaps, operations: ["CONNECT"], resources: ["pods/exec"] }],
      answers: () => ({
        allowed: false,
        status: { code: 403, reason: "No", message: "no shells" },
      }),
    });
    const { code, text } = await upgrade(`${pod}/exec?command=sh&command=-l&stdin=true&tty=true`);
    expect([code, text]).toEqual([403, expect.stringContaining("denied the request: no shells")]);
    expect(hook.asked()[0]?.request).toMatchObject({
      operation: "CONNECT",
      kind: { group: "", version: "v1", kind: "PodExecOptions" },
      resource: { group: "", version: "v1", resource: "pods" },
      subResource: "exec",
      name: "connected",
      namespace: "default",
      object: { kind: "PodExecOptions", command: ["sh", "-l"], stdin: true, tty: true },
      oldObject: null,
      options: null,
    });
    // Of attach nothing was said: it fails for another reason.
    expect((await upgrade(`${pod}/attach?stdout=true`)).text).not.toContain("denied");
    expect(hook.asked()).toHaveLength(1);
  });
});
