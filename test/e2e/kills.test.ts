/** `kill -9` of everything, at bad moments: updates complete, within their bounds, and nothing is lost. */
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import type { Store } from "../../libs/store/store.ts";
import { lostOf, writeUntil } from "../acknowledged-writes.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { recordedCensus, storeOf, testPorts } from "../recorded-pods.ts";
import { atRandomMoments, promised, rollingApp } from "../rolling-app.ts";
import { testRandom } from "../seed.ts";

let cluster: TestCluster;
let store: Store;
let bus: Bus;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1, apis: 2, controllers: 3, schedulers: 2 });
  store = await storeOf(cluster);
  bus = await natsBus({ url: cluster.natsUrl, name: "test", ...testPorts });
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** Kills a process that runs (waiting for it where it is just being restarted), and when that was. */
async function killed(name: string): Promise<number> {
  const process = cluster.processes.get(name);
  await eventually(`${name} runs`, async () => expect(process?.pid()).toBeDefined());
  process?.kill();
  return Date.now();
}

/** The record of every revision keeps the Deployment's bounds; availability from `settled` on. */
async function keepsBounds(namespace: string, settled: number): Promise<void> {
  const report = await recordedCensus(store, namespace, { ...promised, settled });
  console.log(`${namespace}: ${JSON.stringify(report)}`);
  expect(report).toMatchObject({ broken: [], lost: [] }); // Nor did a kill make a pod unready.
  expect(report.mostLive).toBeGreaterThanOrEqual(promised.replicas);
}

describe("kill -9 during a rolling update", () => {
  test("of every service, twice, never makes a pod too many or too few, and the update completes", async () => {
    const random = testRandom("kills of every service");
    const app = await rollingApp(cluster, "services");
    const settled = await store.lastRevision();
    const services = [...cluster.processes.keys()].filter((name) => name !== "nats");
    const before = restarts(services);
    for (const version of ["v2", "v1"] as const) {
      let lastKillMs = 0;
      await app.update(version);
      await atRandomMoments(random, services, async (name) => {
        lastKillMs = await killed(name);
      });
      await app.updated(version);
      expect(lastKillMs).toBeLessThan(await app.completedAtMs(store));
    }
    expect(restarts(services)).toEqual(before.map((count) => count + 2));
    await keepsBounds("services", settled);
  });

  test("of nats-server, twice, loses nothing that was acknowledged, everything reconnects, and the update completes", async () => {
    const random = testRandom("kills of nats-server");
    const app = await rollingApp(cluster, "nats");
    const settled = await store.lastRevision();
    const services = [...cluster.processes.keys()].filter((name) => name !== "nats");
    const before = restarts(services);
    const stop = new AbortController();
    const writing = writeUntil(bus, "nats", stop.signal);
    for (const version of ["v2", "v1"] as const) {
      let lastKillMs = 0;
      await app.update(version);
      await atRandomMoments(random, ["nats"], async (name) => {
        lastKillMs = await killed(name);
      });
      await app.updated(version);
      expect(lastKillMs).toBeLessThan(await app.completedAtMs(store));
    }
    stop.abort();
    const acknowledged = await writing;
    const { made, unanswered } = acknowledged;
    console.log(`${made.length} writes were acknowledged, ${unanswered} were not`);
    expect(made.length).toBeGreaterThan(0);
    expect(lostOf(acknowledged, await app.kubectl("get", "configmaps", "-o", "json"))).toEqual([]);
    await keepsBounds("nats", settled);

    // Nothing ended for it: what answers now has reconnected.
    expect(restarts(services)).toEqual(before);
    await eventually("the lb routes to the new pods", async () =>
      expect(await app.answer()).toBe("v1"),
    );
    expect(await app.kubectl("exec", "deployment/web", "--", "echo", "here")).toBe("here\n");
    for (const server of await gateways()) {
      expect(await app.kubectl("--server", server, "get", "deployment", "web", "-o", "name")).toBe(
        "deployment.apps/web\n",
      );
    }
  });

  test("of every gateway leaves the cluster going: a container comes back, a scaling goes on", async () => {
    const app = await rollingApp(cluster, "gateways");
    const apis = [...cluster.processes].filter(([name]) => name.startsWith("api-"));
    await app.kubectl("scale", "deployment/web", "--replicas=6");
    await Promise.all(apis.map(([, api]) => api.stop("SIGKILL")));
    const docker = new Docker();
    const label = [`berth.dev/cluster=${cluster.id}`, "berth.dev/namespace=gateways"];
    const running = () => docker.listContainers({ filters: { label } });
    await eventually("six containers run", async () => expect(await running()).toHaveLength(6));
    const [first] = await running();
    await docker.getContainer(first?.Id ?? "").kill();
    await eventually("six containers run again", async () => {
      const ids = (await running()).map(({ Id }) => Id);
      expect(ids).toHaveLength(6);
      expect(ids).not.toContain(first?.Id);
    });
    for (const [, api] of apis) api.start();
    await app.updated("v1");
  });
});

const restarts = (names: readonly string[]) =>
  names.map((name) => cluster.processes.get(name)?.restarts() ?? 0);

/** Each gateway's URL: their ports follow one another. */
async function gateways(): Promise<readonly string[]> {
  const first = await cluster.kubectl([
    "config",
    "view",
    "-o",
    "jsonpath={.clusters[0].cluster.server}",
  ]);
  const url = new URL(first);
  const second = new URL(first);
  second.port = String(Number(url.port) + 1);
  return [url.origin, second.origin];
}
