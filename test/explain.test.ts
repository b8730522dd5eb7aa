/** Why a pod is where it is, asked of a gateway and answered by a scheduler, on a real NATS. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alone } from "../libs/actor/placement.ts";
import type { Bus } from "../libs/bus/bus.ts";
import { natsBus } from "../libs/bus/nats.ts";
import { clusterOn } from "../libs/cluster/open.ts";
import { settingsFromEnvironment } from "../libs/cluster/settings.ts";
import { explanation } from "../libs/protocol/explain.ts";
import { apiSubject } from "../libs/protocol/subjects.ts";
import { natsStore } from "../libs/store/nats.ts";
import { systemClock } from "../libs/telemetry/clock.ts";
import { createLog } from "../libs/telemetry/log.ts";
import { systemRandom } from "../libs/telemetry/random.ts";
import { openMemoryGateway } from "../services/api/memory-gateway.ts";
import { runScheduler } from "../services/scheduler/batch.ts";
import { rooms } from "../services/scheduler/rooms.ts";
import { serveExplain } from "../services/scheduler/serve-explain.ts";
import { type HttpsClient, httpsClient } from "./https-client.ts";
import { startNats } from "./nats-server.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
const pods = "/api/v1/namespaces/default/pods";
const stack = new AsyncDisposableStack();
let client: HttpsClient;
let bus: Bus;
let startScheduler: () => Promise<AsyncDisposable>;

beforeAll(async () => {
  const { url } = stack.use(await startNats({ sync: "2m" }));
  const open = async () => stack.use(await natsStore({ url, bucket: "state", ...ports }));
  bus = stack.use(await natsBus({ url, name: "gateway", ...ports }));
  client = httpsClient(stack.use(await openMemoryGateway({ state: await open(), bus })));
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
  for (const [name, cpu] of [
    ["n1", "2"],
    ["n2", "4"],
  ]) {
    await client.call("POST", "/api/v1/nodes", { body: { metadata: { name } } });
    const status = {
      allocatable: { cpu, memory: "8Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    };
    const sent = { body: { status }, contentType: "application/merge-patch+json" };
    const { code } = await client.call("PATCH", `/api/v1/nodes/${name}/status`, sent);
    expect(code).toBe(200);
  }
  startScheduler = async () => {
    const stop = new AbortController();
    const store = await open();
    const settings = settingsFromEnvironment.parse({});
    const cluster = await clusterOn(store, settings, { ...ports, signal: stop.signal });
    const own = await natsBus({ url, name: "scheduler", ...ports });
    const space = rooms(cluster.view, cluster.replica);
    const serving = await serveExplain(own, { ...cluster, rooms: space });
    const record = () => undefined;
    const signal = stop.signal;
    const options = { ...cluster, rooms: space, placement: alone, record, signal, ...ports };
    const running = runScheduler(options);
    return {
      async [Symbol.asyncDispose]() {
        await serving[Symbol.asyncDispose]();
        stop.abort();
        await running;
        await own[Symbol.asyncDispose]();
      },
    };
  };
});
afterAll(() => stack.disposeAsync());

const podOf = (cpu: string, spec: object = {}) => ({
  spec: { containers: [{ name: "main", image: "web", resources: { requests: { cpu } } }], ...spec },
});
const aPod = (name: string, cpu: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  ...podOf(cpu, spec),
});
async function explained(name: string, manifest?: object) {
  const path = `${pods}/${name}/explain`;
  const { code, body } = await (manifest === undefined
    ? client.call("GET", path)
    : client.call("POST", path, { body: manifest }));
  expect({ code, body }).toMatchObject({ code: 200, body: { kind: "PodExplanation" } });
  return explanation.parse(body);
}

describe("a gateway that is asked why", () => {
  test("says that no scheduler answers, in time", async () => {
    await client.call("POST", pods, { body: aPod("early", "100m") });
    const { code, body } = await client.call("GET", `${pods}/early/explain`);
    expect({ code, body }).toMatchObject({
      code: 504,
      body: { kind: "Status", reason: "Timeout", details: { retryAfterSeconds: 1 } },
    });
  });

  test("answers what the scheduler knows, of pods and of manifests", async () => {
    await using _scheduler = await startScheduler();

    // Its own write is seen, though the scheduler hears of it by another way.
    await client.call("POST", pods, { body: aPod("large", "64") });
    const large = await explained("large");
    expect(large).toMatchObject({ verdict: "unschedulable", nodes: [{}, {}] });
    expect(large.help[0]).toMatch(/the largest node has 4 allocatable, .* no node/);

    const manifest = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { template: podOf("3") },
    };
    const predicted = await explained("web-1", manifest);
    expect(predicted).toMatchObject({ verdict: "fits", node: "n2", nodes: [{ name: "n2" }, {}] });
    expect((await client.call("GET", `${pods}/web-1`)).code).toBe(404);

    await client.call("POST", pods, { body: aPod("web-1", "3") });
    await expect.poll(async () => (await explained("web-1")).message).toBe("it is on n2");

    const text = await client.call("GET", `${pods}/large/explain`, { accept: "text/plain" });
    expect(text.text).toContain("Pod default/large: unschedulable");

    const asked = { kind: "Pod", name: "large", subresource: "explain" };
    const data = new TextEncoder().encode(JSON.stringify(asked));
    const answer: unknown = JSON.parse(
      new TextDecoder().decode(await bus.request(apiSubject("get"), data)),
    );
    expect(answer).toMatchObject({ ok: true, object: { verdict: "unschedulable" } });
  });

  test("says what admission forbids, and what it does not understand", async () => {
    await using _scheduler = await startScheduler();
    const quota = { metadata: { name: "few" }, spec: { hard: { "requests.cpu": "0" } } };
    const created = await client.call("POST", "/api/v1/namespaces/default/resourcequotas", {
      body: quota,
    });
    expect(created.code).toBe(201);
    const status = { ...quota.spec, used: { "requests.cpu": "0" } };
    const path = "/api/v1/namespaces/default/resourcequotas/few/status";
    const sent = { body: { status }, contentType: "application/merge-patch+json" };
    expect((await client.call("PATCH", path, sent)).code).toBe(200);
    const refused = await explained("more", aPod("more", "1"));
    expect(refused.verdict).toBe("not considered");
    expect(refused.message).toContain("exceeded quota: few");

    const more = `${pods}/more/explain`;
    const codes = [
      await client.call("GET", `${pods}/missing/explain`),
      await client.call("POST", more, { body: { kind: "ConfigMap" } }),
      await client.call("POST", more, { body: { kind: "Pod", spec: { containers: [] } } }),
    ].map(({ code, body }) => ({ code, kind: (body as { kind?: string }).kind }));
    expect(codes).toEqual([404, 400, 422].map((code) => ({ code, kind: "Status" })));
  });
});
