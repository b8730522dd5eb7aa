/** The real process on a real nats-server, driven by HTTPS, by kubectl and over NATS. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { headers } from "@nats-io/nats-core";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { natsBus } from "../../libs/bus/nats.ts";
import { execOpening, logsOpening } from "../../libs/protocol/node.ts";
import { nodeSubject } from "../../libs/protocol/subjects.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { clientOf, type HttpsClient, type Sent } from "../../test/https-client.ts";
import { type NatsServers, startNats } from "../../test/nats-server.ts";

const root = join(import.meta.dirname, "..", "..");
const node = join(root, "node_modules", ".bin", "node");
const kubectlPath = join(root, ".berth", "bin", "kubectl");

type Api = {
  readonly child: ChildProcess;
  readonly kubeconfig: string;
  readonly client: HttpsClient;
};

let nats: NatsServers;
let folder: string;
let client: NatsConnection;
let [first, second]: Api[] = [];

beforeAll(async () => {
  nats = await startNats();
  folder = await mkdtemp(join(tmpdir(), "berth-api-"));
  [first, second] = await Promise.all([start("a"), start("b")]);
  client = await connect({ servers: nats.url });
  for (const name of ["default", "shop"]) {
    await call(api(), "POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  }
});

afterAll(async () => {
  await client?.close();
  await Promise.all([stop(first), stop(second)]);
  await nats?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe("a gateway", () => {
  test("refuses who has no valid token", async () => {
    expect((await call(api(), "GET", "/api/v1/pods", { token: "wrong" })).code).toBe(401);
    expect((await call(api(), "GET", "/livez", { token: "wrong" })).code).toBe(200);
  });

  test("shares its authority and its state with another", async () => {
    const [mine, other] = await Promise.all([usersIn(api()), usersIn(peer())]);
    expect(other).toEqual(mine);
    const made = await call(api(), "POST", configMaps, { body: configMap("shared") });
    const read = await call(peer(), "GET", `${configMaps}/shared`);
    expect(read.body).toEqual(made.body);
  });

  test.each([
    ["an unknown field", 400, { ...configMap("x"), dta: {} }, 'unknown field "dta"'],
    ["a wrong type", 400, { ...configMap("x"), data: { a: 1 } }, "data.a"],
    ["a bad name", 422, configMap("X_"), "metadata.name"],
    ["another kind", 400, { ...configMap("x"), kind: "Pod" }, "must be of type ConfigMap"],
  ])("refuses %s with a Status", async (_name, code, body, message) => {
    const refused = await call(api(), "POST", `${configMaps}?fieldValidation=Strict`, { body });
    expect(refused).toMatchObject({ code, body: { kind: "Status", status: "Failure", code } });
    expect(JSON.stringify(refused.body)).toContain(JSON.stringify(message).slice(1, -1));
  });

  test.each([
    ["a truncated body", 400, "application/json", '{"metadata":'],
    ["wrong protobuf", 400, "application/vnd.kubernetes.protobuf", "k8s\0\u0001\u0002"],
    ["an unknown language", 415, "application/cbor", "x"],
    ["an object over 1.5 MiB", 413, "application/json", " ".repeat(1_572_865)],
  ])("refuses %s", async (_name, code, contentType, text) => {
    const refused = await call(api(), "POST", configMaps, { bytes: text, contentType });
    expect(refused).toMatchObject({ code, body: { kind: "Status", code } });
  });

  test("says 404, 409 AlreadyExists and 409 Conflict", async () => {
    const missing = await call(api(), "GET", `${configMaps}/missing`);
    expect(missing.body).toMatchObject({
      reason: "NotFound",
      message: 'configmaps "missing" not found',
      details: { name: "missing", kind: "configmaps" },
    });
    const made = await call(api(), "POST", configMaps, { body: configMap("twice") });
    const again = await call(peer(), "POST", configMaps, { body: configMap("twice") });
    expect(again).toMatchObject({ code: 409, body: { reason: "AlreadyExists" } });
    const newer = { ...made.body, data: { a: "1" } };
    expect((await call(api(), "PUT", `${configMaps}/twice`, { body: newer })).code).toBe(200);
    const stale = await call(peer(), "PUT", `${configMaps}/twice`, { body: newer });
    expect(stale).toMatchObject({ code: 409, body: { reason: "Conflict" } });
  });

  test("writes nothing for a dry run, nor for what changes nothing", async () => {
    const dry = await call(api(), "POST", `${configMaps}?dryRun=All`, { body: configMap("dry") });
    expect(dry).toMatchObject({ code: 201, body: { metadata: { uid: expect.any(String) } } });
    expect((await call(api(), "GET", `${configMaps}/dry`)).code).toBe(404);
    const made = await call(api(), "POST", configMaps, { body: configMap("same") });
    const same = await call(api(), "PUT", `${configMaps}/same`, { body: configMap("same") });
    expect(same.body).toEqual(made.body);
  });

  test("keeps concurrent patches of two gateways", async () => {
    await call(api(), "POST", configMaps, { body: configMap("busy") });
    const patches = Array.from({ length: 40 }, (_, nth) =>
      call(nth % 2 === 0 ? api() : peer(), "PATCH", `${configMaps}/busy`, {
        body: { data: { [`k${nth}`]: "v" } },
        contentType: "application/merge-patch+json",
      }),
    );
    const codes = (await Promise.all(patches)).map(({ code }) => code);
    const kept = await call(api(), "GET", `${configMaps}/busy`);
    const accepted = codes.filter((code) => code === 200).length;
    expect(codes.filter((code) => code !== 200 && code !== 409)).toEqual([]);
    expect(Object.keys(kept.body.data)).toHaveLength(accepted);
    expect(accepted).toBeGreaterThan(20);
  });

  test("pages one revision, on any gateway", async () => {
    for (const name of ["p1", "p2", "p3"]) {
      await call(api(), "POST", shop, { body: configMap(name) });
    }
    const page = await call(api(), "GET", `${shop}?limit=1`);
    await call(api(), "DELETE", `${shop}/p2`);
    await call(api(), "POST", shop, { body: configMap("p15") });
    const rest = await call(peer(), "GET", `${shop}?continue=${page.body.metadata.continue}`);
    expect(rest.body.items.map(({ metadata }) => metadata.name)).toEqual(["p2", "p3"]);
    expect(rest.body.metadata.resourceVersion).toBe(page.body.metadata.resourceVersion);
  });

  test("tells a watch with a selector what comes to match and what ceases to", async () => {
    const made = await call(api(), "POST", configMaps, { body: configMap("w") });
    const { resourceVersion } = made.body.metadata;
    const label = (value: string | null) =>
      call(api(), "PATCH", `${configMaps}/w`, {
        body: { metadata: { labels: { watched: value } } },
        contentType: "application/merge-patch+json",
      });
    await label("yes");
    const left = await label(null);
    await call(api(), "DELETE", `${configMaps}/w`);
    const watch = `${configMaps}?watch=true&labelSelector=watched&resourceVersion=${resourceVersion}&timeoutSeconds=1`;
    for (const gateway of [api(), peer()]) {
      const events = await watched(gateway, watch);
      expect(events.map(({ type }) => type)).toEqual(["ADDED", "DELETED"]);
      expect(events[1]?.object.metadata).toMatchObject({
        resourceVersion: left.body.metadata.resourceVersion,
        labels: { watched: "yes" },
      });
    }
  });

  test("ends the initial events of a WatchList with a bookmark", async () => {
    const query =
      "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const events = await watched(api(), `/api/v1/namespaces?${query}&timeoutSeconds=1`);
    expect(events.map(({ type }) => type)).toEqual(["ADDED", "ADDED", "BOOKMARK"]);
    expect(events.at(-1)?.object.metadata.annotations).toEqual({
      "k8s.io/initial-events-end": "true",
    });
  });

  test("catches a watch up from the history after a restart", async () => {
    const made = await call(api(), "POST", configMaps, { body: configMap("old") });
    await call(api(), "DELETE", `${configMaps}/old`);
    await stop(second);
    second = await start("b");
    const { resourceVersion } = made.body.metadata;
    const query = `watch=true&fieldSelector=metadata.name%3Dold&timeoutSeconds=1`;
    const events = await watched(
      peer(),
      `${configMaps}?${query}&resourceVersion=${resourceVersion}`,
    );
    expect(events.map(({ type }) => type)).toEqual(["DELETED"]);
  });

  test("lists 5,000 pods well under 50 ms", async () => {
    const pods = Array.from({ length: 5_000 }, (_, nth) => nth);
    const work = async () => {
      for (let nth = pods.pop(); nth !== undefined; nth = pods.pop()) {
        const body = {
          metadata: { name: `pod-${nth}` },
          spec: { containers: [{ name: "a", image: "b" }] },
        };
        await call(api(), "POST", "/api/v1/namespaces/shop/pods", { body });
      }
    };
    await Promise.all(Array.from({ length: 32 }, work));
    const times: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const began = performance.now();
      const { text } = await api().client.call("GET", "/api/v1/pods?resourceVersion=0");
      times.push(performance.now() - began);
      expect(text.length).toBeGreaterThan(1_000_000);
    }
    console.log(`list of 5,000 pods, ms: ${times.map((ms) => ms.toFixed(0)).join(" ")}`);
  }, 120_000);
});

describe("kubectl", () => {
  test("applies, describes, explains, patches and deletes", async () => {
    const manifest = join(root, "services", "api", "gateway.test.yaml");
    expect(await kubectl("apply", "-f", manifest)).toContain("deployment.apps/web created");
    expect(await kubectl("apply", "-f", manifest)).toContain("deployment.apps/web unchanged");
    expect(await kubectl("get", "deploy")).toMatch(
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2/,
    );
    expect(await kubectl("describe", "deploy", "web")).toContain(
      "StrategyType:           RollingUpdate",
    );
    expect(await kubectl("explain", "deployment.spec.strategy")).toContain("rollingUpdate");
    await kubectl("scale", "deploy/web", "--replicas=3");
    await kubectl("set", "image", "deploy/web", "web=berth/hello:v2");
    await kubectl(
      "patch",
      "deploy",
      "web",
      "--type=json",
      '-p=[{"op":"add","path":"/metadata/labels/a","value":"b"}]',
    );
    const path = "{.spec.replicas} {.spec.template.spec.containers[0].image} {.metadata.labels.a}";
    expect(await kubectl("get", "deploy", "web", "-o", `jsonpath=${path}`)).toBe(
      "3 berth/hello:v2 b",
    );
    expect(await kubectl("delete", "-f", manifest)).toContain('deployment.apps "web" deleted');
  });

  test("creates in protobuf and asks what it may do", async () => {
    await kubectl("create", "deployment", "proto", "--image=x", "--port=80", "--replicas=0");
    const path = "{.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}";
    expect(await kubectl("get", "deploy", "proto", "-o", `jsonpath=${path}`)).toBe("0 80");
    expect(await kubectl("auth", "can-i", "create", "pods")).toBe("yes\n");
    expect(await kubectl("auth", "whoami")).toContain("kubernetes-admin");
  });

  test("is refused an unknown field by name", async () => {
    const refused = kubectl(
      "create",
      "--validate=strict",
      "-f",
      join(root, "services/api/gateway-bad.test.yaml"),
    );
    await expect(refused).rejects.toThrow('unknown field "spec.replica"');
  });
});

describe("a pod's streams", () => {
  test("are joined with the node: logs, exec with input and its exit code", async () => {
    await using bus = await natsBus({
      url: nats.url,
      name: "agent",
      clock: systemClock,
      random: systemRandom,
      log: createLog("agent", "silent"),
    });
    await using _logs = await bus.accept(nodeSubject("n1", "logs"), async (stream, { data }) => {
      const opening = logsOpening.parse(JSON.parse(new TextDecoder().decode(data)));
      await stream.write(Buffer.from(`log of ${opening.container}, last ${opening.tailLines}\n`));
    });
    await using _exec = await bus.accept(nodeSubject("n1", "exec"), async (stream, { data }) => {
      const { command } = execOpening.parse(JSON.parse(new TextDecoder().decode(data)));
      let size = 0;
      for await (const frame of stream.readable) {
        if (frame[0] === 255) break;
        if (frame[0] === 0) size += frame.byteLength - 1;
      }
      await stream.write(Buffer.from(`\u0001${command.join(" ")} ${size}\n`));
      const cause = { reason: "ExitCode", message: "3" };
      const status = {
        status: "Failure",
        reason: "NonZeroExitCode",
        message: "exit 3",
        details: { causes: [cause] },
      };
      await stream.write(Buffer.from(`\u0003${JSON.stringify({ metadata: {}, ...status })}`));
    });
    const body = {
      metadata: { name: "bound" },
      spec: { nodeName: "n1", containers: [{ name: "app", image: "x" }] },
    };
    await call(api(), "POST", "/api/v1/namespaces/default/pods", { body });
    expect(await kubectl("logs", "bound", "--tail=7")).toBe("log of app, last 7\n");
    const size = 300_000;
    const ran = kubectlWith("x".repeat(size), "exec", "-i", "bound", "--", "wc", "-c");
    expect(await ran).toEqual({ code: 3, stdout: `wc -c ${size}\n` });
  });

  test("are refused for a node that does not answer", async () => {
    const body = {
      metadata: { name: "lost" },
      spec: { nodeName: "n2", containers: [{ name: "app", image: "x" }] },
    };
    await call(api(), "POST", "/api/v1/namespaces/default/pods", { body });
    await expect(kubectl("logs", "lost")).rejects.toThrow("node n2 does not answer");
    await expect(kubectl("exec", "lost", "--", "ls")).rejects.toThrow("node n2 does not answer");
  });
});

describe("over NATS", () => {
  test("applies, gets, lists and deletes", async () => {
    const text =
      "kind: ConfigMap\napiVersion: v1\nmetadata: {name: n, namespace: fresh}\ndata: {a: b, c: d}\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: fresh}\n";
    expect(await asked("apply", text)).toMatchObject({
      ok: true,
      results: [{ action: "created" }, {}],
    });
    const fewer = text.replace("a: b, ", "");
    expect(await asked("apply", fewer)).toMatchObject({
      results: [{ ok: true }, { action: "configured" }],
    });
    const where = { kind: "cm", namespace: "fresh", name: "n" };
    expect(await asked("get", JSON.stringify(where))).toMatchObject({
      object: { data: { c: "d" } },
    });
    expect(
      await asked("list", JSON.stringify({ kind: "ConfigMap", namespace: "fresh" })),
    ).toMatchObject({
      items: [{ data: { c: "d" } }],
    });
    expect(await asked("delete", JSON.stringify(where))).toMatchObject({ ok: true, gone: true });
    expect(await asked("get", JSON.stringify(where))).toMatchObject({
      ok: false,
      status: { code: 404 },
    });
  });

  test("applies as its headers say", async () => {
    const apply = async (names: readonly string[], given: Readonly<Record<string, string>>) => {
      const sent = headers();
      for (const [name, value] of Object.entries(given)) sent.set(name, value);
      const text = names.map((name) => JSON.stringify(configMap(name))).join("\n---\n");
      const reply = await client.request("berth.api.apply", text, {
        headers: sent,
        timeout: 5_000,
      });
      return reply.json();
    };
    const whole = { "Berth-Field-Manager": "team", "Berth-Prune": "web" };
    expect(await apply(["one", "two"], whole)).toMatchObject({ ok: true });
    const pruned = { results: [{ action: "unchanged" }, { action: "pruned" }] };
    expect(await apply(["two"], { ...whole, "Berth-Dry-Run": "true" })).toMatchObject(pruned);
    expect((await call(api(), "GET", `${configMaps}/one`)).code).toBe(200);
    expect(await apply(["two"], whole)).toMatchObject({ ...pruned, prune: { set: "web" } });
    expect((await call(api(), "GET", `${configMaps}/one`)).code).toBe(404);
    const wrong = { ok: false, status: { code: 400, message: expect.stringContaining("Berth-F") } };
    expect(await apply(["two"], { "Berth-Force": "maybe" })).toMatchObject(wrong);
  });

  test("applies what was published while no gateway ran, and parks what is bad", async () => {
    await Promise.all([stop(first), stop(second)]);
    const results = client.subscribe("berth.results.team.>", { max: 1 });
    const text =
      "kind: ConfigMap\napiVersion: v1\nmetadata: {name: late}\n---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: bad}\nspec: {replica: 1}\n";
    await client.request("berth.manifests.team.a", text);
    [first, second] = await Promise.all([start("a"), start("b")]);
    for await (const message of results) {
      expect(message.json()).toMatchObject({ ok: false, results: [{ ok: true }, { ok: false }] });
    }
    expect((await call(api(), "GET", `${configMaps}/late`)).code).toBe(200);
    expect(await asked("parked", "")).toMatchObject({
      parked: [
        { subject: "berth.manifests.team.a", reference: { name: "bad" }, status: { code: 400 } },
      ],
    });
  });
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const shop = "/api/v1/namespaces/shop/configmaps";
const configMap = (name: string) => ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name } });
/** What the tests look at of any answer. */
type Body = {
  metadata: { name: string; resourceVersion: string; continue: string; annotations?: object };
  items: Body[];
  data: object;
};
type WatchEvent = { type: string; object: Body };

const started = (one: Api | undefined): Api => one ?? expect.unreachable("no gateway runs");
const api = () => started(first);
const peer = () => started(second);

async function start(instance: string): Promise<Api> {
  const kubeconfig = join(folder, `kubeconfig-${instance}`);
  await rm(kubeconfig, { force: true });
  const child = spawn(node, [join(import.meta.dirname, "main.ts")], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      BERTH_NATS_URL: nats.url,
      BERTH_API_PORT: "0",
      BERTH_PKI_DIR: join(folder, "pki"),
      BERTH_KUBECONFIG: kubeconfig,
      BERTH_LOG_LEVEL: "warn",
      BERTH_INSTANCE: instance,
    },
  });
  const until = AbortSignal.timeout(20_000);
  while (!existsSync(kubeconfig)) {
    if (until.aborted || child.exitCode !== null) throw new Error("the gateway did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { child, kubeconfig, client: await clientOf(kubeconfig) };
}

async function usersIn({ kubeconfig }: Api): Promise<unknown> {
  const { users } = parse(await readFile(kubeconfig, "utf8")) as { users: unknown }; // As it was written.
  return users;
}

async function stop(one: Api | undefined): Promise<void> {
  if (one === undefined || one.child.exitCode !== null) return;
  const exited = once(one.child, "exit");
  one.child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
}

async function call(
  gateway: Api,
  method: string,
  path: string,
  sent: Sent = {},
): Promise<{ code: number; body: Body }> {
  const { code, body } = await gateway.client.call(method, path, sent);
  return { code, body: body as Body };
}

/** All events of a watch that ends by its own time limit. */
async function watched(gateway: Api, path: string): Promise<WatchEvent[]> {
  const { text } = await gateway.client.call("GET", path);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as WatchEvent);
}

async function asked(verb: string, text: string): Promise<object> {
  const reply = await client.request(`berth.api.${verb}`, text, { timeout: 10_000 });
  return reply.json<object>();
}

function kubectl(...command: string[]): Promise<string> {
  const env = { HOME: folder, KUBECONFIG: api().kubeconfig, PATH: process.env["PATH"] };
  return new Promise((resolve, reject) => {
    execFile(kubectlPath, command, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr, { cause: error }));
    });
  });
}

/** With input; tells the exit code. */
function kubectlWith(
  input: string,
  ...command: string[]
): Promise<{ code: number; stdout: string }> {
  const env = { HOME: folder, KUBECONFIG: api().kubeconfig, PATH: process.env["PATH"] };
  return new Promise((resolve) => {
    const child = execFile(kubectlPath, command, { env, timeout: 30_000 }, (error, stdout) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout });
    });
    child.stdin?.end(input);
  });
}
