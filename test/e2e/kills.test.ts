/** `kill -9` of everything, at bad moments: updates complete, and never a pod too many. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import * as z from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureKubectl } from "../../scripts/tools/tools.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1, controllers: 3, schedulers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const replicas = 4;
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${replicas}
  strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: berth/hello:v1
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
`;

const event = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED"]),
  object: z.object({
    metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  }),
});

/** The most pods without a deletionTimestamp that were there at any event of a watch. */
async function watchPods(): Promise<AsyncDisposable & { most(): number }> {
  const live = new Set<string>();
  let most = 0;
  const args = ["get", "pods", "-l", "app=web", "--watch", "--output-watch-events", "-o", "json"];
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  const watch = spawn(await ensureKubectl(), args, { env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => watch.once("exit", () => resolve()));
  let text = "";
  watch.stdout.on("data", (chunk: Buffer) => {
    const parts = `${text}${chunk.toString()}`.split("\n"); // One event a line.
    text = parts.pop() ?? "";
    for (const part of parts) {
      const { type, object } = event.parse(JSON.parse(part));
      const { name, deletionTimestamp } = object.metadata;
      if (type === "DELETED" || deletionTimestamp !== undefined) live.delete(name);
      else live.add(name);
      most = Math.max(most, live.size);
    }
  });
  return {
    most: () => most,
    async [Symbol.asyncDispose]() {
      watch.kill("SIGTERM");
      await ended;
    },
  };
}

const rolledOut = () =>
  eventually("the update is complete", () =>
    cluster.kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]),
  );
const update = (version: string) =>
  cluster.kubectl(["set", "image", "deployment/web", `web=berth/hello:${version}`]);
const images = () =>
  cluster.kubectl([
    "get",
    "pods",
    "-l",
    "app=web",
    "-o",
    "jsonpath={.items[*].spec.containers[0].image}",
  ]);

/** kills each of `names` once, spread over the first seconds of an update; the seed is the order. */
async function killAll(names: readonly string[]): Promise<void> {
  for (const name of names) {
    cluster.processes.get(name)?.kill();
    await sleep(300); // The moments are meant to be arbitrary.
  }
}

describe("kill -9 during a rolling update", () => {
  test("of every service, twice, never makes a pod too many, and the update completes", async () => {
    await cluster.kubectl(["apply", "-f", "-"], manifest);
    await rolledOut();
    const services = [...cluster.processes.keys()].filter(
      (name) => name !== "nats" && name !== "api-0",
    );
    await using pods = await watchPods();
    for (const [round, version] of ["v2", "v1"].entries()) {
      await update(version);
      await killAll(round === 0 ? services : services.toReversed());
      await rolledOut();
      await eventually("only the new version is left", async () => {
        expect(new Set((await images()).split(" "))).toEqual(new Set([`berth/hello:${version}`]));
      });
    }
    expect(pods.most()).toBeGreaterThanOrEqual(replicas);
    expect(pods.most()).toBeLessThanOrEqual(replicas + 1);
  });

  test("of nats-server loses nothing that was acknowledged, and the update completes", async () => {
    await cluster.kubectl(["create", "configmap", "acknowledged", "--from-literal=key=value"]);
    await update("v2");
    cluster.processes.get("nats")?.kill();
    await rolledOut();
    expect(
      await cluster.kubectl(["get", "configmap", "acknowledged", "-o", "jsonpath={.data.key}"]),
    ).toBe("value");
  });

  test("of every gateway leaves the cluster going: a container comes back, a scaling goes on", async () => {
    await cluster.kubectl(["scale", "deployment/web", "--replicas=6"]);
    const gateway = cluster.processes.get("api-0");
    await gateway?.stop();
    const ofCluster = { filters: { label: [`berth.dev/cluster=${cluster.id}`] } };
    const docker = new Docker();
    await eventually("six containers run", async () => {
      expect(await docker.listContainers(ofCluster)).toHaveLength(6);
    });
    const [first] = await docker.listContainers(ofCluster);
    await docker.getContainer(first?.Id ?? "").remove({ force: true });
    await eventually("six containers run again", async () => {
      const ids = (await docker.listContainers(ofCluster)).map(({ Id }) => Id);
      expect(ids).toHaveLength(6);
      expect(ids).not.toContain(first?.Id);
    });
    gateway?.start();
    await rolledOut();
  });
});
