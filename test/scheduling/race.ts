/**
 * Schedulers that all act at once are killed while they bind pods to nodes with room for just these; then
 * the cluster's own record is judged, transaction by transaction. Real NATS and real processes; the nodes
 * are only written down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { each } from "../../bench/api/gateway.ts";
import { kubeClient } from "../../bench/cluster/kube-client.ts";
import { followPods } from "../../bench/scheduler/followed-pods.ts";
import { keptNodes } from "../../bench/scheduler/kept-nodes.ts";
import { prefixOf } from "../../libs/cluster/key.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { manyNodesCIDR } from "../../scripts/supervisor/ranges.ts";
import { testCluster } from "../cluster.ts";
import { recordedRevisions, storeOf } from "../recorded-pods.ts";

/** What the pods ask of one another: nothing, a node for each alone, or zones that differ by one at most. */
export type Terms = "none" | "apart" | "even";

export type RaceOptions = {
  readonly schedulers: number;
  readonly natsServers: number;
  readonly terms: Terms;
  readonly nodes: number;
  /** Pods that have room on one node: all together there are as many as have room. */
  readonly podsOnNode: number;
  readonly killEveryMs: number;
};

export type RaceReport = {
  readonly pods: number;
  readonly kills: number;
  readonly tookMs: number;
  /** That bound pods. */
  readonly transactions: number;
  /** By node, the most and the fewest at the end. */
  readonly most: number;
  readonly fewest: number;
  /** What the record says was wrong, at most ten. */
  readonly broken: readonly string[];
};

const namespace = "default";
const path = `/api/v1/namespaces/${namespace}/pods`;
const clients = 32;
/** More do not have a range each in the pod range that a test cluster has. */
const nodesOfUsual = 200;
const zone = "topology.kubernetes.io/zone";

export async function race(random: Random, options: RaceOptions): Promise<RaceReport> {
  const { schedulers, natsServers, terms, nodes, podsOnNode, killEveryMs } = options;
  const pods = nodes * podsOnNode;
  await using cluster = await testCluster({
    nodes: 0,
    schedulers,
    natsServers,
    ...(nodes > nodesOfUsual && { podCIDR: manyNodesCIDR }),
  });
  using client = await kubeClient(cluster);
  const capacity = { cpu: String(podsOnNode), memory: "64Gi", pods: String(podsOnNode) };
  await using _kept = await keptNodes(client, nodes, capacity);
  await using store = await storeOf(cluster);
  await using followed = await followPods(client, namespace);
  const victims = [...cluster.processes.values()].filter(({ name }) =>
    name.startsWith("scheduler-"),
  );
  const over = new AbortController();
  const begunMs = performance.now();
  const killing = (async () => {
    let kills = 0;
    while (!over.signal.aborted) {
      const living = victims.filter((one) => one.pid() !== undefined);
      const victim = living[Math.floor(random.next() * living.length)];
      if (victim !== undefined) {
        victim.kill();
        kills += 1;
      }
      await sleep(killEveryMs, undefined, { signal: over.signal }).catch(() => "it is over");
    }
    return kills;
  })();
  try {
    await Promise.all([
      each(pods, clients, async (nth) => {
        await client.call("POST", path, aPod(nth, terms));
      }),
      followed.untilBound(pods),
    ]);
  } finally {
    over.abort();
  }
  const tookMs = Math.round(performance.now() - begunMs);
  const kills = await killing;
  const zones = await zonesIn(client);
  return { pods, kills, tookMs, ...(await judged(store, { terms, podsOnNode, zones })) };
}

function aPod(nth: number, terms: Terms): unknown {
  const labelSelector = { matchLabels: { app: "race" } };
  const spread = { topologyKey: zone, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" };
  const alone = { topologyKey: "kubernetes.io/hostname", labelSelector };
  const spec = {
    none: {},
    even: { topologySpreadConstraints: [{ ...spread, labelSelector }] },
    apart: {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [alone] },
      },
    },
  }[terms];
  const containers = [{ name: "main", image: "race", resources: { requests: { cpu: "1" } } }];
  return {
    metadata: { name: `race-${nth}`, labels: { app: "race" } },
    spec: { containers, ...spec },
  };
}

const nodeList = z.object({ items: z.array(node.schema) });

async function zonesIn(
  client: Awaited<ReturnType<typeof kubeClient>>,
): Promise<ReadonlyMap<string, string>> {
  const { items } = nodeList.parse(await client.call("GET", "/api/v1/nodes"));
  return new Map(
    items.map(({ metadata }) => [metadata.name, metadata.labels?.[zone] ?? ""] as const),
  );
}

const bound = z.object({ spec: z.object({ nodeName: z.string().default("") }) });

/** Pods only come: at the end of every transaction the counts are what was ever bound. */
async function judged(
  store: Awaited<ReturnType<typeof storeOf>>,
  {
    terms,
    podsOnNode,
    zones,
  }: Pick<RaceOptions, "terms" | "podsOnNode"> & { readonly zones: ReadonlyMap<string, string> },
): Promise<Pick<RaceReport, "transactions" | "most" | "fewest" | "broken">> {
  const homes = new Map<string, string>();
  const onNode = new Map([...zones.keys()].map((name) => [name, 0]));
  const inZone = new Map([...new Set(zones.values())].map((name) => [name, 0]));
  const broken: string[] = [];
  const most = terms === "apart" ? 1 : podsOnNode;
  let [transaction, transactions] = ["", 0];
  const look = (revision: number) => {
    for (const [name, count] of onNode)
      if (count > most) broken.push(`${name} has ${count} pods at ${revision}`);
    const counts = [...inZone.values()];
    if (terms === "even" && Math.max(...counts) - Math.min(...counts) > 1)
      broken.push(`zones have ${counts.join(", ")} pods at ${revision}`);
  };
  let last = 0;
  for await (const { key, revision, tx, value } of recordedRevisions(
    store,
    prefixOf(pod, namespace),
  )) {
    if (tx.id !== transaction && last > 0) look(last);
    const { nodeName } = bound.parse(JSON.parse(new TextDecoder().decode(value))).spec;
    const before = homes.get(key) ?? "";
    if (nodeName === before) continue;
    if (before !== "") broken.push(`${key} moved from ${before} to ${nodeName}`);
    if (tx.id !== transaction) transactions += 1;
    [transaction, last] = [tx.id, revision];
    homes.set(key, nodeName);
    onNode.set(nodeName, (onNode.get(nodeName) ?? 0) + 1);
    const home = zones.get(nodeName) ?? "";
    inZone.set(home, (inZone.get(home) ?? 0) + 1);
  }
  look(last);
  const counts = [...onNode.values()];
  return {
    transactions,
    most: Math.max(...counts),
    fewest: Math.min(...counts),
    broken: broken.slice(0, 10),
  };
}
