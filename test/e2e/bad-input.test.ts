/** What users get wrong: each is told so in Kubernetes' words, and nothing else is disturbed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { clientOf, type HttpsClient, type Sent } from "../https-client.ts";

let cluster: TestCluster;
let client: HttpsClient;
let bus: Bus;
let healthy: string;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  client = await clientOf(cluster.kubeconfig);
  const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
  bus = await natsBus({ url: cluster.natsUrl, name: "test", ...ports });
  await cluster.kubectl(["apply", "-f", "-"], `${deployment()}---\n${service}`);
  await cluster.kubectl(["rollout", "status", "deployment/web", "--timeout=90s"]);
  healthy = await podsOf("web");
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** Valid, but for what `change` replaces. */
const deployment = (...change: readonly [RegExp, string][]) =>
  change.reduce(
    (text, [what, by]) => text.replace(what, by),
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: berth/hello:v1
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
`,
  );
const bad: [RegExp, string] = [/name: web }\nspec/, "name: bad }\nspec"];
const service = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;
const configMap = (name: string, value = "v") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { KEY: ${value} }\n`;
const pod = (name: string, rest: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { containers: [{ name: app, ${rest} }] }\n`;

/** Name, uid and restarts of each pod of an app. */
const podsOf = (app: string) =>
  get(`pods -l app=${app}`, [
    "N:.metadata.name",
    "U:.metadata.uid",
    "R:.status.containerStatuses[0].restartCount",
  ]);

/** Every object that a user may have made, with its revision. */
const objects = () =>
  get("namespaces,deployments,replicasets,pods,services,endpointslices,configmaps,secrets -A", [
    "K:.kind",
    "N:.metadata.name",
    "R:.metadata.resourceVersion",
  ]);

const get = (what: string, columns: readonly string[]) => {
  const shown = ["--no-headers", "-o", `custom-columns=${columns.join(",")}`];
  return cluster.kubectl(["get", ...what.split(" "), ...shown]);
};

async function unchanged<T>(run: () => Promise<T>): Promise<T> {
  const before = await objects();
  const result = await run();
  expect(await objects()).toBe(before);
  return result;
}

/** What kubectl says as it fails. */
const complaint = (args: readonly string[], input?: string) =>
  cluster.kubectl(args, input).then(
    (said) => expect.unreachable(`kubectl did not fail: ${said}`),
    (error: unknown) => String(error),
  );

/** What kubectl is asked, with which input, and what it must say. */
type Wrong = readonly [
  name: string,
  args: readonly string[],
  input: string | undefined,
  ...said: string[],
];
const apply = ["apply", "-f", "-"];
const create = ["create", "-f", "-"];
const strict = 'strict decoding error: unknown field "spec.replica"';

describe("kubectl is told of", () => {
  const cases: readonly Wrong[] = [
    ["an unknown field", apply, deployment(bad, [/replicas/, "replica"]), "(BadRequest)", strict],
    ["an unknown field of what is there", apply, deployment([/replicas/, "replica"]), strict],
    [
      "a wrong type",
      apply,
      deployment(bad, [/replicas: 2/, "replicas: two"]),
      "(BadRequest)",
      'Deployment in version "v1" cannot be handled as a Deployment: spec.replicas: must be an integer, but is a string',
    ],
    [
      "a bad quantity",
      create,
      pod("bad", "image: x, resources: { limits: { cpu: lots } }"),
      "(BadRequest)",
      "spec.containers[0].resources.limits.cpu: quantities must match",
    ],
    [
      "a bad name",
      create,
      configMap("Bad_Name"),
      'The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain',
    ],
    [
      "a selector that misses its template",
      apply,
      deployment(bad, [/matchLabels: \{ app: web/, "matchLabels: { app: db"]),
      'The Deployment "bad" is invalid: spec.template.metadata.labels: Invalid value: ',
      "`selector` does not match template `labels`",
    ],
    [
      "a selector that is another one than before",
      apply,
      deployment([/app: web/g, "app: db"]),
      'The Deployment "web" is invalid: spec.selector: Invalid value: ',
      "field is immutable",
    ],
    [
      "negative replicas",
      apply,
      deployment([/replicas: 2/, "replicas: -2"]),
      "spec.replicas: Invalid value: -2",
    ],
    [
      "several mistakes at once",
      create,
      pod("Bad", "image: '', ports: [{ containerPort: 0 }]"),
      "* metadata.name: ",
      "* spec.containers[0].image: Required value",
      "* spec.containers[0].ports[0].containerPort: ",
    ],
    ["what is there already", create, service, 'services "web" already exists'],
    [
      "a patch of a wrong type",
      ["patch", "deployment", "web", "-p", '{"spec":{"replicas":"two"}}'],
      undefined,
      "spec.replicas: must be an integer",
    ],
    [
      "a JSON patch that does not apply",
      ["patch", "deployment", "web", "--type=json", '-p=[{"op":"remove","path":"/spec/none"}]'],
      undefined,
      "/spec/none",
    ],
    [
      "a revision that is stale",
      ["replace", "-f", "-"],
      service.replace("name: web }", 'name: web, resourceVersion: "1" }'),
      "(Conflict)",
      "the object has been modified",
    ],
    [
      "a selector that is none",
      ["get", "pods", "-l", "a in (b"],
      undefined,
      "unable to parse requirement",
    ],
    [
      "a field that cannot be selected by",
      ["get", "pods", "--field-selector", "spec.none=x"],
      undefined,
      "field label not supported: spec.none",
    ],
    [
      "an object over 1.5 MiB",
      create,
      configMap("large", "x".repeat(1_600_000)),
      "(RequestEntityTooLarge)",
      "limit is 1572864",
    ],
    [
      "a wrong token",
      ["get", "pods", "--token=wrong"],
      undefined,
      "You must be logged in to the server",
    ],
    [
      "a namespace that there is not",
      [...create, "-n", "nowhere"],
      configMap("a"),
      'namespaces "nowhere" not found',
    ],
    [
      "a kind that there is not",
      ["get", "nonsense"],
      undefined,
      'the server doesn\'t have a resource type "nonsense"',
    ],
  ];
  const rows = cases.map(([name, args, input, ...said]) => ({ name, args, input, said }));
  test.each(rows)("$name", async ({ args, input, said }) => {
    const told = await unchanged(() => complaint(args, input));
    for (const text of said) expect(told).toContain(text);
  });

  test("what it drops, where it was asked not to be strict", async () => {
    const manifest = deployment(bad, [/replicas/, "replica"]);
    const dry = ["apply", "--dry-run=server", "-o", "jsonpath={.spec}", "-f", "-"];
    for (const validate of ["warn", "ignore"]) {
      const spec = await cluster.kubectl([...dry, `--validate=${validate}`], manifest);
      expect(JSON.parse(spec)).not.toHaveProperty("replica");
    }
  });
});

describe("a client that kubectl is not is told of", () => {
  const configMaps = "/api/v1/namespaces/default/configmaps";
  const protobuf = "application/vnd.kubernetes.protobuf";
  test.each<readonly [string, string, string, Sent, number, string]>([
    ["a truncated body", "POST", configMaps, { bytes: '{"metadata":{"name":' }, 400, "BadRequest"],
    [
      "protobuf without its envelope",
      "POST",
      configMaps,
      { bytes: "{}", contentType: protobuf },
      400,
      "BadRequest",
    ],
    [
      "protobuf that is cut short",
      "POST",
      configMaps,
      { bytes: "k8s\0\n\x0f\n\x02v1", contentType: protobuf },
      400,
      "BadRequest",
    ],
    [
      "nesting without an end",
      "POST",
      configMaps,
      { bytes: '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000) },
      400,
      "BadRequest",
    ],
    [
      "an unknown language",
      "POST",
      configMaps,
      { bytes: "x", contentType: "application/cbor" },
      415,
      "UnsupportedMediaType",
    ],
    ["a method that there is not", "PUT", configMaps, { body: {} }, 405, "MethodNotAllowed"],
    ["a path that there is not", "GET", "/apis/nonsense/v1", {}, 404, "NotFound"],
    [
      "another namespace in the body",
      "POST",
      configMaps,
      { body: { metadata: { name: "a", namespace: "b" } } },
      400,
      "BadRequest",
    ],
    ["a continue that is none", "GET", `${configMaps}?limit=1&continue=x`, {}, 400, "BadRequest"],
    ["no token", "GET", configMaps, { token: "" }, 401, "Unauthorized"],
  ])("%s", async (_name, method, path, sent, code, reason) => {
    const { body } = await unchanged(() => client.call(method, path, sent));
    expect(body).toMatchObject({ kind: "Status", status: "Failure", code, reason });
  });
});

describe("over NATS", () => {
  const ask = async (verb: string, text: string) => {
    const reply = await bus.request(`berth.api.${verb}`, new TextEncoder().encode(text));
    return JSON.parse(new TextDecoder().decode(reply)) as unknown;
  };
  const wrongType = deployment(bad, [/replicas: 2/, "replicas: two"]);
  const status = {
    kind: "Status",
    code: 400,
    reason: "BadRequest",
    message: expect.stringContaining(".spec.replicas: expected numeric (int or float), got string"),
    details: { name: "bad", group: "apps" },
  };

  test("a request is answered with the Status of an apply", async () => {
    const result = { ok: false, document: { kind: "Deployment", name: "bad" }, status };
    const reply = await unchanged(() => ask("apply", wrongType));
    expect(reply).toMatchObject({ ok: false, results: [result] });
    const large = await unchanged(() => ask("apply", configMap("large", "x".repeat(1_600_000))));
    expect(large).toMatchObject({ results: [{ status: { code: 413 } }] });
    const broken = await unchanged(() => ask("apply", "kind: [\n"));
    expect(broken).toMatchObject({ results: [{ status: { code: 400 } }] });
  });

  test("a manifest is parked with the same Status, and holds up none after it", async () => {
    bus.publish("berth.manifests.team.web", new TextEncoder().encode(wrongType));
    bus.publish("berth.manifests.team.web", Uint8Array.of(0xff, 0xfe, 0x00));
    bus.publish("berth.manifests.team.web", new TextEncoder().encode("[".repeat(50_000)));
    bus.publish("berth.manifests.team.web", new TextEncoder().encode(configMap("after")));
    await eventually("the good one is there", () => cluster.kubectl(["get", "configmap", "after"]));
    await eventually("the bad ones are parked", async () => {
      const unreadable = { status: { code: 400 } };
      expect(await ask("parked", "")).toMatchObject({
        parked: [{ reference: { name: "bad" }, status }, unreadable, unreadable],
      });
    });
  });
});

describe("a pod that cannot start says why", () => {
  const waiting = async (name: string) =>
    cluster.kubectl([
      "get",
      "pod",
      name,
      "-o",
      "jsonpath={.status.containerStatuses[0].state.waiting}",
    ]);
  const describes = (name: string) => cluster.kubectl(["describe", "pod", name]);

  test("a missing ConfigMap: it starts when that is there", async () => {
    const rest = "image: berth/hello:v1, envFrom: [{ configMapRef: { name: missing } }]";
    await cluster.kubectl(create, pod("unconfigured", rest));
    await eventually("it waits", async () => {
      const state = JSON.parse(await waiting("unconfigured")) as object;
      const message = 'configmap "missing" not found';
      expect(state).toEqual({ reason: "CreateContainerConfigError", message });
      expect(await describes("unconfigured")).toMatch(
        /Warning\s+Failed\s.*Error: configmap "missing" not found/,
      );
    });
    await cluster.kubectl(create, configMap("missing"));
    await cluster.kubectl(["wait", "pod/unconfigured", "--for=condition=Ready", "--timeout=60s"]);
  });

  test("an image that does not exist: it is tried again, at longer and longer intervals", async () => {
    const image = "127.0.0.1:1/nothing:v1"; // No registry listens there.
    await cluster.kubectl(create, pod("imageless", `image: "${image}"`));
    await eventually("it backs off", async () => {
      expect(JSON.parse(await waiting("imageless"))).toMatchObject({
        reason: "ImagePullBackOff",
        message: expect.stringContaining(`Back-off pulling image "${image}": ErrImagePull: `),
      });
      const told = await describes("imageless");
      expect(told).toMatch(/Warning\s+Failed\s.*Failed to pull image "127.0.0.1:1\/nothing:v1"/);
      expect(told).toMatch(/Warning\s+Failed\s.*Error: ErrImagePull/);
      expect(told).toMatch(/Normal\s+BackOff\s.*Back-off pulling image/);
    });
    const phase = ["get", "pod", "imageless", "-o", "jsonpath={.status.phase}"];
    expect(await cluster.kubectl(phase)).toBe("Pending");
  });

  test("an image that cannot be one", async () => {
    await cluster.kubectl(create, pod("nameless", 'image: "not/An/image"'));
    await eventually("it waits", async () => {
      expect(JSON.parse(await waiting("nameless"))).toMatchObject({ reason: "InvalidImageName" });
    });
  });
});

describe("nothing else is disturbed", () => {
  test("the same pods run, and their Service answers", async () => {
    const pods = (await podsOf("web")).trim().split("\n");
    expect(pods).toEqual(healthy.trim().split("\n"));
    expect(pods).toEqual([expect.stringMatching(/\s0$/), expect.stringMatching(/\s0$/)]);
    const port = await cluster.kubectl([
      "get",
      "service",
      "web",
      "-o",
      "jsonpath={.spec.ports[0].nodePort}",
    ]);
    const reply = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) });
    expect(reply.status).toBe(200);
  });

  test("no process of the cluster has restarted", () => {
    const restarts = [...cluster.processes].map(([name, child]) => [name, child.restarts()]);
    expect(restarts.filter(([, count]) => count !== 0)).toEqual([]);
  });
});
