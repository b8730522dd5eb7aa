/**
 * What does a cluster do when nothing happens? A thousand objects, and then nothing: the messages
 * stored on disk meanwhile, and the CPU that each process used, beside as many Node processes that
 * do nothing.
 *
 *     node bench/controllers/idle.ts [--objects 1000] [--seconds 60] [--nodes 3]
 */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect } from "@nats-io/transport-node";
import * as z from "zod";
import { type KubeClient, kubeClient } from "../cluster/kube-client.ts";
import { type Result, report } from "../report.ts";
import { hollowCluster } from "./hollow-cluster.ts";
import { cpuSeconds } from "./process-use.ts";

type Params = {
  readonly objects: number;
  readonly seconds: number;
  readonly nodes: number;
  /** Between the last object and the first second that counts. */
  readonly settleSeconds: number;
};

/** On every machine of the cluster, beside the control plane. */
const onNodes = new Set(["hollow"]);

export async function benchIdle(given: Params): Promise<readonly Result[]> {
  const { objects, seconds, nodes, settleSeconds } = given;
  await using cluster = await hollowCluster({ nodes, controllers: 1 });
  using client = await kubeClient(cluster);
  await makeObjects(client, objects);
  await sleep(settleSeconds * 1_000);
  const use = () =>
    new Map([...cluster.processes].map(([name, one]) => [name, cpuSeconds(one.pid())]));
  const idle = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1e6)"]);
  try {
    const [before, cpuBefore] = [await storedMessages(cluster.natsUrl), use()];
    const idleBefore = cpuSeconds(idle.pid);
    await sleep(seconds * 1_000);
    const [after, cpuAfter] = [await storedMessages(cluster.natsUrl), use()];
    const idleSeconds = cpuSeconds(idle.pid) - idleBefore;
    const percent = (name: string) =>
      (100 * ((cpuAfter.get(name) ?? 0) - (cpuBefore.get(name) ?? 0))) / seconds;
    const control = [...cpuAfter.keys()].filter((name) => !onNodes.has(name));
    const params = { objects, seconds, nodes };
    return [
      {
        bench: "controllers/idle-cpu",
        params,
        unit: "% of a core",
        measured: [control.reduce((sum, name) => sum + percent(name), 0)],
        baseline: {
          name: `${control.length} Node processes that do nothing`,
          measured: [(100 * idleSeconds * control.length) / seconds],
        },
        parts: Object.fromEntries(
          [...cpuAfter.keys()].map((name) => [name, Number(percent(name).toFixed(2))]),
        ),
      },
      {
        bench: "controllers/idle-stored",
        params,
        unit: "messages",
        measured: [after - before],
        baseline: { name: "none", measured: [0] },
      },
    ];
  } finally {
    idle.kill("SIGKILL");
  }
}

/** Half of them pods with what makes them, the rest ConfigMaps. */
async function makeObjects(client: KubeClient, objects: number): Promise<void> {
  const sets = Math.ceil(objects / 28); // Each: a Deployment, its set, its Service and slice, 10 pods.
  for (let nth = 0; nth < sets; nth += 1) {
    const labels = { app: `app-${nth}` };
    const metadata = { name: `app-${nth}`, namespace: "default" };
    const container = { name: "app", image: "berth/hello:v1" };
    await client.call("POST", "/apis/apps/v1/namespaces/default/deployments", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: 10,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
    await client.call("POST", "/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    });
  }
  for (let nth = 0; nth < objects - sets * 14; nth += 1) {
    await client.call("POST", "/api/v1/namespaces/default/configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `config-${nth}`, namespace: "default" },
      data: { nth: String(nth) },
    });
  }
}

const streams = z.object({
  streams: z.array(
    z.object({
      config: z.object({ storage: z.enum(["file", "memory"]) }),
      state: z.object({ last_seq: z.int() }),
    }),
  ),
});

/** How many messages were ever stored in the streams on disk. */
async function storedMessages(url: string): Promise<number> {
  const connection = await connect({ servers: [url] });
  try {
    const reply = await connection.request("$JS.API.STREAM.LIST", "{}");
    return streams
      .parse(reply.json())
      .streams.filter(({ config }) => config.storage === "file")
      .reduce((sum, { state }) => sum + state.last_seq, 0);
  } finally {
    await connection.close();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      objects: { type: "string", default: "1000" },
      seconds: { type: "string", default: "60" },
      nodes: { type: "string", default: "3" },
    },
  });
  const [objects, seconds] = [Number(values.objects), Number(values.seconds)];
  report(await benchIdle({ objects, seconds, nodes: Number(values.nodes), settleSeconds: 20 }));
}
