/**
 * How long from a Deployment applied to all its pods available, beside the bare Docker API that
 * makes as many containers of the same image in a network of the same kind? The two alternate.
 *
 *     node bench/cluster/pods.ts [--pods 30] [--runs 3]
 */
import { parseArgs } from "node:util";
import Docker from "dockerode";
import * as z from "zod";
import { removeNetwork } from "../../scripts/tools/remove-network.ts";
import { eventually, type TestCluster, testCluster } from "../../test/cluster.ts";
import { type Result, report } from "../report.ts";
import { type KubeClient, kubeClient } from "./kube-client.ts";

type Params = { readonly pods: number; readonly runs: number };

const image = "berth/base:latest";
const command = ["sleep", "3600"];
/** The engine is quickest so: measured 6.8 containers a second at 8, 5.0 at 30. */
const atOnce = 8;
const withinMs = 120_000;

/** Needs the images of `npm start`. */
export async function benchPods(params: Params): Promise<readonly Result[]> {
  const docker = new Docker();
  await using cluster = await testCluster({ nodes: 1 });
  using client = await kubeClient(cluster);
  await eventually("the node is ready", async () => {
    const status = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
    const ready = await cluster.kubectl(["get", "nodes", "-o", `jsonpath=${status}`]);
    if (ready !== "True") throw new Error("not yet");
  });
  const [bare, berth]: [number[], number[]] = [[], []];
  // One of each first: it is the only one that finds caches cold.
  for (let run = -1; run < params.runs; run += 1) {
    const took = [
      await timeDocker(docker, cluster.id, params.pods),
      await timeDeployment(client, { docker, cluster, pods: params.pods }),
    ] as const;
    if (run < 0) continue;
    bare.push(took[0]);
    berth.push(took[1]);
  }
  return [
    {
      bench: "cluster/pods-available",
      params: { pods: params.pods },
      unit: "ms",
      measured: berth,
      baseline: { name: `Docker's API, ${atOnce} at once`, measured: bare },
    },
  ];
}

/** Creates and starts the containers, then removes them. @returns ms until the last has started */
async function timeDocker(docker: Docker, clusterId: string, pods: number): Promise<number> {
  const labels = { "berth.dev/cluster": clusterId };
  const network = await docker.createNetwork({
    Name: `berth-${clusterId}-bench`,
    Driver: "bridge",
    Labels: labels,
    Options: { "com.docker.network.bridge.enable_ip_masquerade": "false" },
  });
  const made: Docker.Container[] = [];
  const create = async () => {
    const container = await docker.createContainer({
      Image: image,
      Cmd: command,
      Labels: labels,
      HostConfig: { NetworkMode: network.id },
    });
    made.push(container);
    await container.start();
  };
  try {
    const begunMs = performance.now();
    let left = pods;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        await create();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return performance.now() - begunMs;
  } finally {
    await Promise.all(made.map((container) => container.remove({ force: true })));
    await removeNetwork(network);
  }
}

const deploymentEvent = z.object({
  object: z.object({ status: z.object({ availableReplicas: z.int().optional() }).optional() }),
});

/** @returns ms from the request that creates it to the event that shows all as available */
async function timeDeployment(
  client: KubeClient,
  {
    docker,
    cluster,
    pods,
  }: { readonly docker: Docker; readonly cluster: TestCluster; readonly pods: number },
): Promise<number> {
  const path = "/apis/apps/v1/namespaces/default/deployments";
  using watch = await client.watch(`${path}?watch=1&fieldSelector=metadata.name%3Dbench`);
  using _limit = limit(() => watch[Symbol.dispose]());
  const begunMs = performance.now();
  await client.call("POST", path, deployment(pods));
  await available(watch.events, pods);
  const tookMs = performance.now() - begunMs;
  await client.call("DELETE", `${path}/bench`);
  await eventually("the pods are gone", async () => {
    const label = [`berth.dev/cluster=${cluster.id}`];
    const left = await docker.listContainers({ all: true, filters: { label } });
    const shown = await cluster.kubectl(["get", "pods", "-o", "name"]);
    if (left.length > 0 || shown !== "") throw new Error("not yet");
  });
  return tookMs;
}

async function available(events: AsyncIterable<unknown>, pods: number): Promise<void> {
  for await (const event of events) {
    const { status } = deploymentEvent.parse(event).object;
    if (status?.availableReplicas === pods) return;
  }
  throw new Error("the watch ended before all pods were available");
}

function limit(end: () => void): Disposable {
  const timer = setTimeout(end, withinMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

const deployment = (replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "bench" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "bench" } },
    template: {
      metadata: { labels: { app: "bench" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "sleep", image, command, imagePullPolicy: "IfNotPresent" }],
      },
    },
  },
});

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      pods: { type: "string", default: "30" },
      runs: { type: "string", default: "3" },
    },
  });
  report(await benchPods({ pods: Number(values.pods), runs: Number(values.runs) }));
}
