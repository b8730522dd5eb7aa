/**
 * How long until others take over? A controllers instance is killed, told to stop, stopped and cut
 * off; a node is lost; NATS is away for a minute. Beside each: what is to be reached.
 *
 *     node bench/controllers/takeovers.ts [--tries 20] [--outage-seconds 60]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { prefixOf } from "../../libs/cluster/key.ts";
import type { Store } from "../../libs/store/store.ts";
import { type Child, child } from "../../scripts/supervisor/child.ts";
import { root } from "../../scripts/tools/paths.ts";
import { eventually, type TestCluster, testCluster } from "../../test/cluster.ts";
import { recordedRevisions, recordOf, storeOf, testPorts } from "../../test/recorded-pods.ts";
import { type Strike, takeover } from "../../test/takeover.ts";
import { type Result, report } from "../report.ts";
import { type CuttableProxy, cuttableProxy } from "./cuttable-proxy.ts";

type Params = { readonly tries: number; readonly outageSeconds: number };

const own = ["cut-1", "cut-2"] as const;
const nodes = ["lost-1", "lost-2", "lost-3", "lost-4"] as const;
const replicas = 12;

export async function benchTakeovers({ tries, outageSeconds }: Params): Promise<readonly Result[]> {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await testCluster({ nodes: 0, controllers: 1 }));
  const dir = await mkdtemp(join(tmpdir(), "berth-takeovers-"));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const store = undo.use(await storeOf(cluster));
  const bus = undo.use(await natsBus({ url: cluster.natsUrl, name: "bench", ...testPorts }));
  const start = (service: string, name: string, env: Readonly<Record<string, string>>): Child => {
    const main = join(root, "services", service, "main.ts");
    const args = ["--disable-warning=ExperimentalWarning", main];
    const logPath = join(cluster.logs, `${name}.log`);
    const spec = { name, command: process.execPath, args, env, logPath };
    const started = child(spec, () => undefined);
    undo.defer(() => started.stop());
    started.start();
    return started;
  };
  const controllers = new Map<string, { readonly process: Child; readonly way: CuttableProxy }>();
  for (const name of own) {
    const way = undo.use(await cuttableProxy(cluster.natsUrl));
    const env = { BERTH_NATS_URL: way.url, BERTH_INSTANCE: name };
    controllers.set(name, { process: start("controllers", name, env), way });
  }
  const results: Result[] = [];
  const add = (bench: string, measured: readonly number[], toReachMs: number) =>
    results.push({
      bench: `controllers/${bench}`,
      params: { tries: measured.length },
      unit: "ms",
      measured,
      baseline: { name: "to reach", measured: measured.map(() => toReachMs) },
      parts: { worst: Math.max(...measured) },
    });

  const instances = own.length + 1;
  for (const [what, befall] of Object.entries(befallings)) {
    const strike: Strike = (instance) => {
      const struck = [...controllers].find(([name]) => instance.startsWith(`${name}-`))?.[1];
      return struck && befall(struck.process, struck.way);
    };
    const taken: number[] = [];
    for (let nth = 0; nth < tries; nth += 1) {
      const namespace = `${what}-${nth}`;
      taken.push(await takeover({ cluster, store, bus, instances }, namespace, strike));
      await cluster.kubectl(["delete", "namespace", namespace, "--wait=false"]);
    }
    add(`takeover-after-${what}`, taken, 2_000);
  }

  const agents = new Map(
    nodes.map((name) => [
      name,
      start("node-agent", name, {
        BERTH_NATS_URL: cluster.natsUrl,
        BERTH_RUNTIME: "hollow",
        BERTH_NODE_NAME: name,
        BERTH_DATA_DIR: join(dir, name),
        BERTH_LOG_LEVEL: "warn",
      }),
    ]),
  );
  await allReady(cluster);
  await cluster.kubectl(["apply", "-f", "-"], deployment);
  await cluster.kubectl(["rollout", "status", "deployment/spread", "--timeout=60s"]);
  const [notReady, replaced]: [number[], number[]] = [[], []];
  for (let nth = 0; nth < tries; nth += 1) {
    const name = nodes[nth % nodes.length] ?? nodes[0];
    const lost = await lose(cluster, store, { name, agent: agents.get(name) });
    notReady.push(lost.notReadyMs);
    replaced.push(lost.replacedMs);
  }
  add("node-lost-to-not-ready", notReady, 5_000);
  add("node-lost-to-replaced", replaced, 10_000);

  const evicted = await outage(cluster, outageSeconds);
  results.push({
    bench: "controllers/evicted-by-an-outage-of-nats",
    params: { outageSeconds },
    unit: "pods",
    measured: [evicted],
    baseline: { name: "to reach", measured: [0] },
  });
  return results;
}

type Befall = (process: Child, way: CuttableProxy) => () => Promise<void>;

const befallings: Readonly<Record<string, Befall>> = {
  "kill-9": (process) => {
    const dead = process.stop("SIGKILL");
    return () => dead.then(() => process.start());
  },
  sigterm: (process) => {
    const dead = process.stop("SIGTERM");
    return () => dead.then(() => process.start());
  },
  sigstop: (struck) => {
    const pid = struck.pid();
    if (pid === undefined) throw new Error(`${struck.name} does not run`);
    process.kill(pid, "SIGSTOP");
    return async () => void process.kill(pid, "SIGCONT");
  },
  partition: (_process, way) => {
    way.cut();
    return async () => way.mend();
  },
};

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: spread }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: spread } }
  template:
    metadata: { labels: { app: spread } }
    spec:
      containers: [{ name: app, image: "berth/hello:v1" }]
`;

async function allReady(cluster: TestCluster): Promise<void> {
  await eventually("all nodes are ready", async () => {
    const path = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
    const shown = await cluster.kubectl(["get", "nodes", "-o", path]);
    if (shown.split(" ").filter((status) => status === "True").length < nodes.length) {
      throw new Error("not yet");
    }
  });
}

const seenPod = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ phase: z.string().optional() }).optional(),
});
const seenNode = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
  }),
});

/** Kills a node's agent, and brings it back when all its pods have been replaced. */
async function lose(
  cluster: TestCluster,
  store: Store,
  { name, agent }: { readonly name: string; readonly agent: Child | undefined },
): Promise<{ readonly notReadyMs: number; readonly replacedMs: number }> {
  if (agent === undefined) throw new TypeError("every node has its agent");
  // Every node has pods to lose.
  await cluster.kubectl(["rollout", "restart", "deployment/spread"]);
  await cluster.kubectl(["rollout", "status", "deployment/spread", "--timeout=60s"]);
  const lostAtMs = Date.now();
  await agent.stop("SIGKILL");
  const elsewhere = async () => {
    const json = await cluster.kubectl(["get", "pods", "-l", "app=spread", "-o", "json"]);
    const { items } = z.object({ items: z.array(seenPod) }).parse(JSON.parse(json));
    const running = items.filter(
      ({ metadata, spec, status }) =>
        metadata.deletionTimestamp === undefined &&
        spec.nodeName !== name &&
        status?.phase === "Running",
    );
    if (running.length < replicas) throw new Error(`${running.length} run elsewhere`);
  };
  await eventually("all pods run elsewhere", elsewhere);
  const record = await recordOf(store, nodeKind, undefined, name);
  const sawNotReady = record.find(
    ({ atMs, value }) =>
      atMs >= lostAtMs &&
      seenNode
        .parse(value)
        .status.conditions.some(({ type, status }) => type === "Ready" && status !== "True"),
  );
  let replacedAtMs = 0;
  const first = new Map<string, number>();
  for await (const entry of recordedRevisions(store, prefixOf(podKind, "default"))) {
    const { metadata, status } = seenPod.parse(JSON.parse(new TextDecoder().decode(entry.value)));
    if (status?.phase !== "Running" || first.has(metadata.name)) continue;
    first.set(metadata.name, entry.storedAtMs);
    replacedAtMs = Math.max(replacedAtMs, entry.storedAtMs);
  }
  agent.start();
  await allReady(cluster);
  return {
    notReadyMs: (sawNotReady?.atMs ?? Number.NaN) - lostAtMs,
    replacedMs: replacedAtMs - lostAtMs,
  };
}

/** @returns how many pods were evicted by it */
async function outage(cluster: TestCluster, seconds: number): Promise<number> {
  const uids = async () => {
    const path = "jsonpath={.items[*].metadata.uid}";
    return (await cluster.kubectl(["get", "pods", "-l", "app=spread", "-o", path])).split(" ");
  };
  await cluster.kubectl(["rollout", "status", "deployment/spread", "--timeout=60s"]);
  await eventually("nothing is on its way", async () => {
    if ((await uids()).length !== replicas) throw new Error("not yet");
  });
  const before = await uids();
  const nats = cluster.processes.get("nats");
  await nats?.stop("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000)); // The outage.
  nats?.start();
  await eventually("the gateway answers", uids);
  await allReady(cluster);
  await new Promise((resolve) => setTimeout(resolve, 10_000)); // What would be evicted is, by then.
  const after = new Set(await uids());
  return before.filter((uid) => !after.has(uid)).length;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      tries: { type: "string", default: "20" },
      "outage-seconds": { type: "string", default: "60" },
    },
  });
  const outageSeconds = Number(values["outage-seconds"]);
  report(await benchTakeovers({ tries: Number(values.tries), outageSeconds }));
}
