import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mergePatch, named, refusals } from "../../../test/refusals.ts";
import { type Asked, openWebhookServer, type WebhookServer } from "../../../test/webhook-server.ts";

const { ask, refused, gateway } = refusals(afterAll);
const group = "/apis/admissionregistration.k8s.io/v1";

type Review = {
  readonly apiVersion: string;
  readonly request: Readonly<Record<string, unknown>> & {
    readonly uid: string;
    readonly object: Thing | null;
    readonly oldObject: Thing | null;
  };
};
type Thing = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
};
type Response = Readonly<Record<string, unknown>> | undefined;
type Answering = (request: Review["request"]) => Response | Promise<Response>;

/** What is answered on each path. */
const hooks = new Map<string, Answering>();
let server: WebhookServer;
beforeAll(async () => {
  const hosts = ["127.0.0.1", "hooks.default.svc"];
  server = await openWebhookServer(async ({ path, body }) => {
    const { apiVersion, request } = body as Review; // Nothing else is sent to a webhook.
    const response = await hooks.get(path.split("?")[0] ?? "")?.(request);
    if (response === undefined) return undefined;
    return { apiVersion, kind: "AdmissionReview", response: { uid: request.uid, ...response } };
  }, hosts);
});
afterAll(() => server[Symbol.asyncDispose]());

const allow: Answering = () => ({ allowed: true });
const patched = (...patch: readonly object[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
});
/** Adds a label, and makes room for labels where there are none. */
const labelled =
  (name: string, value = "yes"): Answering =>
  ({ object }) =>
    patched(
      ...(object?.metadata.labels === undefined
        ? [{ op: "add", path: "/metadata/labels", value: {} }]
        : []),
      { op: "add", path: `/metadata/labels/${name}`, value },
    );

type Sort = "mutating" | "validating";
const configMaps = {
  operations: ["CREATE", "UPDATE", "DELETE"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
};

/** A configuration of webhooks, each with a path and what it answers there, until it is disposed of. */
async function configured(
  sort: Sort,
  name: string,
  ...webhooks: readonly (Readonly<Record<string, unknown>> & { readonly answers: Answering })[]
): Promise<AsyncDisposable & { asked(nth?: number): readonly Review[] }> {
  const path = (nth: number) => `/${sort}/${name}/${nth}`;
  const plural = `${sort}webhookconfigurations`;
  const body = {
    metadata: { name },
    webhooks: webhooks.map(({ answers, ...rest }, nth) => {
      hooks.set(path(nth), answers);
      return {
        name: `hook-${nth}.${name}.example.com`,
        clientConfig: { url: `${server.url}${path(nth)}`, caBundle: server.caBundle },
        rules: [configMaps],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        ...rest,
      };
    }),
  };
  const from = server.asked.length;
  const made = await ask(`POST ${group}/${plural}`, { body });
  expect(made.text).toContain('"uid"');
  return {
    asked: (nth = 0) =>
      server.asked
        .slice(from)
        .filter((one: Asked) => one.path.startsWith(`${path(nth)}?`))
        .map(({ body: review }) => review as Review), // As above.
    async [Symbol.asyncDispose]() {
      const gone = await ask(`DELETE ${group}/${plural}/${name}`);
      expect(gone.code).toBe(200);
    },
  };
}

const config = (name: string, more: object = {}) => ({
  body: { metadata: { name, ...more }, data: { a: "1" } },
});
const labelsOf = (body: Record<string, unknown>) => (body as Thing).metadata.labels; // Every object has metadata.

describe("a mutating webhook", () => {
  test("changes what is created, and sees it before it has an identity", async () => {
    await using hook = await configured("mutating", "label", { answers: labelled("seen") });
    const { code, body } = await ask("POST configmaps", config("m1"));
    expect(code).toBe(201);
    expect(labelsOf(body)).toEqual({ seen: "yes" });
    const [review] = hook.asked();
    expect(review).toMatchObject({
      kind: "AdmissionReview",
      apiVersion: "admission.k8s.io/v1",
      request: {
        kind: { group: "", version: "v1", kind: "ConfigMap" },
        resource: { group: "", version: "v1", resource: "configmaps" },
        requestKind: { group: "", version: "v1", kind: "ConfigMap" },
        name: "m1",
        namespace: "default",
        operation: "CREATE",
        userInfo: { username: "kubernetes-admin" },
        object: { apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } },
        oldObject: null,
        dryRun: false,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      },
    });
    expect(review?.request.object?.metadata).not.toHaveProperty("uid");
    const kept = await ask("GET configmaps/m1");
    expect(labelsOf(kept.body)).toEqual({ seen: "yes" });
  });

  test("sees the old and the new object of a change, and may undo it", async () => {
    await ask("POST configmaps", config("m2"));
    await using hook = await configured("mutating", "undo", {
      answers: ({ operation, oldObject }) =>
        operation === "UPDATE"
          ? patched({ op: "replace", path: "/data", value: oldObject?.data })
          : { allowed: true },
    });
    const was = await ask("GET configmaps/m2");
    const { body } = await ask("PATCH configmaps/m2", mergePatch({ data: { a: "2" } }));
    expect(hook.asked()[0]?.request).toMatchObject({
      operation: "UPDATE",
      object: { data: { a: "2" } },
      oldObject: { data: { a: "1" }, metadata: { name: "m2" } },
      options: { kind: "UpdateOptions" },
    });
    expect(body).toMatchObject({ data: { a: "1" } });
    expect((body as Thing).metadata["resourceVersion"]).toBe(
      (was.body as Thing).metadata["resourceVersion"],
    );
  });

  test("completes what admission would refuse, with defaults for what it adds", async () => {
    await using _hook = await configured("mutating", "sidecar", {
      rules: [{ ...configMaps, resources: ["pods"] }],
      answers: () =>
        patched(
          { op: "replace", path: "/spec/containers/0/image", value: "web:v2" },
          { op: "add", path: "/spec/containers/-", value: { name: "proxy", image: "proxy:v1" } },
        ),
    });
    const spec = { containers: [{ name: "web", image: "" }] };
    const { code, body } = await ask("POST pods", { body: { ...named("incomplete"), spec } });
    expect(code).toBe(201);
    expect(body).toMatchObject({
      spec: {
        containers: [
          { name: "web", image: "web:v2" },
          { name: "proxy", image: "proxy:v1", terminationMessagePath: "/dev/termination-log" },
        ],
      },
    });
  });

  test("is asked about what is applied, which it makes or changes", async () => {
    await using hook = await configured("mutating", "applied", { answers: labelled("seen") });
    const applied = (data: object) => ({
      body: { apiVersion: "v1", kind: "ConfigMap", ...named("ssa"), data },
      contentType: "application/apply-patch+yaml",
    });
    const path = "PATCH configmaps/ssa?fieldManager=me";
    expect((await ask(path, applied({ a: "1" }))).code).toBe(201);
    const { body } = await ask(path, applied({ a: "2" }));
    expect([body["data"], labelsOf(body)]).toEqual([{ a: "2" }, { seen: "yes" }]);
    const operations = hook.asked().map(({ request }) => request["operation"]);
    expect(operations).toEqual(["CREATE", "UPDATE"]);
    const { managedFields } = (body as Thing).metadata;
    expect(managedFields).toMatchObject([{ manager: "me", operation: "Apply" }]);
  });

  test("is followed by admission: what it makes wrong is refused", async () => {
    await using _hook = await configured("mutating", "wrong", {
      answers: () => patched({ op: "add", path: "/data", value: { "no/key": "1" } }),
    });
    const { code, body } = await refused("POST configmaps", config("m3"));
    expect([code, body["reason"]]).toEqual([422, "Invalid"]);
  });

  test("comes in the order of the configurations' names, each seeing the one before", async () => {
    const seen: unknown[] = [];
    const watching =
      (label: string): Answering =>
      (request) => {
        seen.push([label, Object.keys(request.object?.metadata.labels ?? {})]);
        return labelled(label)(request);
      };
    await using _second = await configured("mutating", "order-b", { answers: watching("b") });
    await using _first = await configured(
      "mutating",
      "order-a",
      { answers: watching("a0") },
      { answers: watching("a1") },
    );
    await ask("POST configmaps", config("m4"));
    expect(seen).toEqual([
      ["a0", []],
      ["a1", ["a0"]],
      ["b", ["a0", "a1"]],
    ]);
  });

  test("is asked again, where it wishes so, when a later one has changed what it saw", async () => {
    const again = { reinvocationPolicy: "IfNeeded", answers: allow };
    await using hook = await configured(
      "mutating",
      "reinvoke",
      again,
      { answers: allow },
      { ...again, answers: labelled("late") },
      again,
    );
    const { body } = await ask("POST configmaps", config("m5"));
    expect(labelsOf(body)).toEqual({ late: "yes" });
    expect([0, 1, 2, 3].map((nth) => hook.asked(nth).length)).toEqual([2, 1, 1, 1]);
    expect(labelsOf({ ...hook.asked()[1]?.request.object })).toEqual({ late: "yes" });
  });

  test("cannot change what a deletion has not", async () => {
    await ask("POST configmaps", config("m6"));
    await using _hook = await configured("mutating", "no-object", {
      answers: () => patched({ op: "add", path: "/metadata/labels", value: {} }),
    });
    const { code, body } = await refused("DELETE configmaps/m6", {});
    expect(code).toBe(500);
    expect(body["message"]).toContain(
      'admission webhook "hook-0.no-object.example.com" attempted to modify the object, which is not supported for this operation',
    );
  });

  test("names an object that is to be named once", async () => {
    await using hook = await configured("mutating", "generate", { answers: labelled("seen") });
    const sent = { body: { metadata: { generateName: "gen-" } } };
    const { body } = await ask("POST configmaps", sent);
    expect((body as Thing).metadata["name"]).toMatch(/^gen-.{5}$/);
    expect(hook.asked()[0]?.request).not.toHaveProperty("name");
    expect(hook.asked()[0]?.request.object?.metadata).not.toHaveProperty("name");
  });
});

describe("a validating webhook", () => {
  test("denies in its own words, with its code and reason", async () => {
    await using _hook = await configured("validating", "deny", {
      answers: () => ({
        allowed: false,
        status: { code: 418, reason: "Teapot", message: "no coffee", details: { kind: "pots" } },
      }),
    });
    const { code, body } = await refused("POST configmaps", config("v1"));
    expect(code).toBe(418);
    expect(body).toMatchObject({
      status: "Failure",
      code: 418,
      reason: "Teapot",
      message: 'admission webhook "hook-0.deny.example.com" denied the request: no coffee',
      details: { kind: "pots" },
    });
  });

  test.each([
    [
      { code: 200 },
      400,
      'admission webhook "hook-0.words.example.com" denied the request without explanation',
    ],
    [
      { reason: "Busy" },
      400,
      'admission webhook "hook-0.words.example.com" denied the request: Busy',
    ],
  ])("denies by %j with %d", async (status, code, message) => {
    await using _hook = await configured("validating", "words", {
      answers: () => ({ allowed: false, status }),
    });
    const { body } = await refused("POST configmaps", config("v2"));
    expect(body).toMatchObject({ code, message });
  });

  test("warns, whether it allows or not, and each warning is told once", async () => {
    const warning = { allowed: true, warnings: ["think again", "think again", "and again"] };
    await using _hook = await configured("validating", "warn", { answers: () => warning });
    const { warnings } = await ask("POST configmaps", config("v3"));
    expect(warnings).toEqual(['299 - "think again"', '299 - "and again"']);
    const deleted = await ask("DELETE configmaps/v3");
    expect(deleted.warnings).toHaveLength(2);
  });

  test("sees what those that mutate have made, with its identity", async () => {
    await using _mutating = await configured("mutating", "before", { answers: labelled("made") });
    await using hook = await configured("validating", "after", { answers: allow });
    const { body } = await ask("POST configmaps", config("v4"));
    const [review] = hook.asked();
    expect(labelsOf({ ...review?.request.object })).toEqual({ made: "yes" });
    expect(review?.request.object?.metadata["uid"]).toBe((body as Thing).metadata["uid"]);
  });

  test("may not change anything", async () => {
    await using _hook = await configured("validating", "patches", { answers: labelled("no") });
    const { code, body } = await refused("POST configmaps", config("v5"));
    expect(code).toBe(500);
    expect(body["message"]).toBe(
      'Internal error occurred: failed calling webhook "hook-0.patches.example.com": received invalid webhook response: validating webhook may not return response.patch',
    );
  });

  test("is asked about deletions, one by one those of a collection too", async () => {
    await ask("POST configmaps", config("d1", { labels: { batch: "d" } }));
    await ask("POST configmaps", config("d2", { labels: { batch: "d" } }));
    await using hook = await configured("validating", "delete", { answers: allow });
    await ask("DELETE configmaps?labelSelector=batch%3Dd&propagationPolicy=Background");
    const requests = hook.asked().map(({ request }) => request);
    expect(requests.map(({ name }) => name).toSorted()).toEqual(["d1", "d2"]);
    expect(requests[0]).toMatchObject({
      operation: "DELETE",
      object: null,
      oldObject: { data: { a: "1" } },
      options: { kind: "DeleteOptions", propagationPolicy: "Background" },
    });
  });

  test("is told of a dry run, which commits nothing", async () => {
    await using hook = await configured("validating", "dry", {
      sideEffects: "NoneOnDryRun",
      answers: allow,
    });
    expect((await refused("POST configmaps?dryRun=All", config("v6"))).code).toBe(201);
    expect(hook.asked()[0]?.request).toMatchObject({ dryRun: true, options: { dryRun: ["All"] } });
  });

  test("has its say until its configuration is gone, and never on configurations", async () => {
    const everything = { ...configMaps, apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };
    {
      await using hook = await configured("validating", "all", {
        rules: [{ ...everything, operations: ["*"] }],
        answers: () => ({ allowed: false }),
      });
      expect((await refused("POST configmaps", config("v7"))).code).toBe(400);
      expect(hook.asked()).toHaveLength(1);
    }
    expect((await ask("POST configmaps", config("v7"))).code).toBe(201);
  });
});

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
      clientConfig: { service, caBundle: server.caBundle },
      answers: allow,
    });
    hooks.set("/check", () => ({ allowed: true, warnings: ["reached"] }));
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
      ports: [{ port: server.port }],
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

describe("a race", () => {
  test("with another change while webhooks are asked is decided and asked anew", async () => {
    await ask("POST configmaps", config("race"));
    let meddled = false;
    await using hook = await configured("mutating", "race", {
      objectSelector: { matchLabels: { raced: "yes" } },
      async answers(request) {
        if (!meddled) {
          meddled = true;
          await ask("PATCH configmaps/race", mergePatch({ data: { b: "2" } }));
        }
        return labelled("seen")(request);
      },
    });
    const { body } = await ask(
      "PATCH configmaps/race",
      mergePatch({ metadata: { labels: { raced: "yes" } } }),
    );
    expect(labelsOf(body)).toEqual({ raced: "yes", seen: "yes" });
    expect(body["data"]).toEqual({ a: "1", b: "2" });
    expect(hook.asked().map(({ request }) => request.oldObject?.data)).toEqual([
      { a: "1" },
      { a: "1", b: "2" },
    ]);
  });
});
