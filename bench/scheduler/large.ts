/**
 * What does a scheduler hold, and do, in a large cluster? Nodes that are only written down and pods that
 * are bound already; then nothing happens, then pods change, so many a second, and last one more pod
 * comes. Nothing but NATS runs beside it. The text of the state, and what it costs to parse the changes,
 * stand beside.
 *
 *     node bench/scheduler/large.ts [--nodes 5000] [--pods 100000] [--seconds 30] [--rate 500]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { encode } from "../../libs/admission/transaction.ts";
import { keyOf } from "../../libs/cluster/key.ts";
import { decode } from "../../libs/cluster/view.ts";
import { parse } from "../../libs/model/errors.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { timeOf } from "../../libs/model/time.ts";
import { natsStore } from "../../libs/store/nats.ts";
import type { Op, Revision, Store } from "../../libs/store/store.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { manyNodesCIDR } from "../../scripts/supervisor/ranges.ts";
import { testCluster } from "../../test/cluster.ts";
import { kubeClient } from "../cluster/kube-client.ts";
import { cpuSeconds, residentMiB } from "../controllers/process-use.ts";
import { type Result, report } from "../report.ts";
import { keptNodes } from "./kept-nodes.ts";
import { nodeName, podTemplate } from "./mixes.ts";

type Params = {
  readonly nodes: number;
  readonly pods: number;
  readonly seconds: number;
  /** Changes a second. */
  readonly rate: number;
};

const namespace = "default";
const now = timeOf(Date.now());
/** Written as one transaction. */
const together = 500;
const changesEveryMs = 100;
const boundWithinMs = 60_000;

export async function benchLarge({
  nodes,
  pods,
  seconds,
  rate,
}: Params): Promise<readonly Result[]> {
  await using cluster = await testCluster({ nodes: 0, podCIDR: manyNodesCIDR });
  {
    using client = await kubeClient(cluster);
    await using _kept = await keptNodes(client, nodes);
  }
  // Before the nodes' Leases run out: without controllers nobody looks at them.
  await stopAllBut(cluster.processes, ["nats", "scheduler"]);
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  await using store = await natsStore({ url: cluster.natsUrl, bucket: "state", ...ports });
  const scheduler = [...cluster.processes].find(([name]) => name.startsWith("scheduler"))?.[1];
  const before = residentMiB(scheduler?.pid());
  const written = await writePods(store, { nodes, pods });
  await timeToBind(store, "first");
  const params = { nodes, pods, seconds };
  const percent = async (during: () => Promise<void>) => {
    const [begun, begunMs] = [cpuSeconds(scheduler?.pid()), performance.now()];
    await during();
    const used = cpuSeconds(scheduler?.pid()) - begun;
    return (100 * used) / ((performance.now() - begunMs) / 1_000);
  };
  const idle = await percent(() => sleep(seconds * 1_000));
  const changed = await percent(() => change(store, written.revisions, { seconds, rate, nodes }));
  const rss = residentMiB(scheduler?.pid());
  const bindMs = await timeToBind(store, "last");
  return [
    {
      bench: "scheduler/large-memory",
      params,
      unit: "MiB RSS",
      measured: [rss],
      baseline: { name: "the pods' text", measured: [written.bytes / 2 ** 20] },
      parts: { beforeThePods: Math.round(before) },
    },
    {
      bench: "scheduler/large-cpu",
      params: { ...params, rate },
      unit: "% of a core",
      measured: [changed],
      baseline: { name: "the changes parsed", measured: [parsePercent(rate)] },
      parts: { idle: Number(idle.toFixed(2)) },
    },
    {
      bench: "scheduler/large-bind",
      params,
      unit: "ms",
      measured: [bindMs],
      baseline: { name: "one commit", measured: [await commitMs(store)] },
    },
  ];
}

type Processes = Awaited<ReturnType<typeof testCluster>>["processes"];

async function stopAllBut(processes: Processes, kept: readonly string[]): Promise<void> {
  const others = [...processes].filter(([name]) => !kept.some((one) => name.startsWith(one)));
  await Promise.all(others.map(([, one]) => one.stop()));
}

const nameOf = (nth: number) => `app-${nth}`;

/** A pod in storage form; unbound without `node`. */
function podAt(name: string, node: string | undefined, isReady = true) {
  const { metadata, spec } = podTemplate("plain", "app");
  const conditions = [
    { type: "PodScheduled", status: "True", lastTransitionTime: now },
    { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: now },
  ];
  return parse(pod, {
    metadata: { ...metadata, name, namespace, uid: name, creationTimestamp: now },
    spec: { ...spec, ...(node !== undefined && { nodeName: node }) },
    status: node === undefined ? { phase: "Pending" } : { phase: "Running", conditions },
  });
}

async function writePods(
  store: Store,
  { nodes, pods }: Pick<Params, "nodes" | "pods">,
): Promise<{ readonly revisions: Map<number, Revision>; readonly bytes: number }> {
  const revisions = new Map<number, Revision>();
  let bytes = 0;
  for (let first = 0; first < pods; first += together) {
    const count = Math.min(together, pods - first);
    const ops = Array.from({ length: count }, (_, at): Op => {
      const name = nameOf(first + at);
      const value = encode(podAt(name, nodeName((first + at) % nodes)));
      bytes += value.byteLength;
      return { op: "put", key: keyOf(pod, namespace, name), expect: "absent", value };
    });
    const last = await committed(store, ops);
    for (let at = 0; at < count; at += 1) revisions.set(first + at, last - (count - 1 - at));
  }
  return { revisions, bytes };
}

/** Pods become unready and ready again, one after the other. */
async function change(
  store: Store,
  revisions: Map<number, Revision>,
  { seconds, rate, nodes }: Omit<Params, "pods">,
): Promise<void> {
  const count = Math.max(1, Math.round((rate * changesEveryMs) / 1_000));
  const begunMs = performance.now();
  for (let turn = 0; turn * changesEveryMs < seconds * 1_000; turn += 1) {
    const earlyMs = begunMs + turn * changesEveryMs - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    const chosen = Array.from({ length: count }, (_, at) => (turn * count + at) % revisions.size);
    const ops = [...new Set(chosen)].map((nth): Op => {
      const isReady = Math.floor((turn * count) / revisions.size) % 2 === 1;
      const value = encode(podAt(nameOf(nth), nodeName(nth % nodes), isReady));
      const key = keyOf(pod, namespace, nameOf(nth));
      return { op: "put", key, expect: revisions.get(nth) ?? "absent", value };
    });
    const last = await committed(store, ops);
    for (const [at, nth] of [...new Set(chosen)].entries())
      revisions.set(nth, last - (ops.length - 1 - at));
  }
}

/** @returns ms from its commit until a new pod has a node */
async function timeToBind(store: Store, name: string): Promise<number> {
  const key = keyOf(pod, namespace, name);
  const value = encode(podAt(name, undefined));
  const begunMs = performance.now();
  await committed(store, [{ op: "put", key, expect: "absent", value }]);
  for (;;) {
    const entry = await store.get(key);
    const found = entry && (decode(entry) as { spec?: { nodeName?: string } }); // It was put as a pod.
    if ((found?.spec?.nodeName ?? "") !== "") return performance.now() - begunMs;
    if (performance.now() - begunMs > boundWithinMs) throw new Error(`${name} was not bound`);
    await sleep(1);
  }
}

async function commitMs(store: Store): Promise<number> {
  const begunMs = performance.now();
  const value = encode(podAt("probe", nodeName(0)));
  const key = keyOf(pod, namespace, "probe");
  await committed(store, [{ op: "put", key, expect: "absent", value }]);
  return performance.now() - begunMs;
}

/** Of a core, for so many changes a second. */
function parsePercent(rate: number): number {
  const text = new TextDecoder().decode(encode(podAt("parsed", nodeName(0))));
  let length = 0;
  const begunMs = performance.now();
  for (let nth = 0; nth < rate; nth += 1) length += Object.keys(JSON.parse(text) as object).length;
  if (length === 0) throw new Error("nothing was parsed");
  return (performance.now() - begunMs) / 10;
}

async function committed(store: Store, ops: readonly Op[]): Promise<Revision> {
  const outcome = await store.commit(ops);
  if (!outcome.ok) throw new Error(`a write lost a race: ${JSON.stringify(outcome)}`);
  return outcome.revision;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "5000" },
      pods: { type: "string", default: "100000" },
      seconds: { type: "string", default: "30" },
      rate: { type: "string", default: "500" },
    },
  });
  const [nodes, pods] = [Number(values.nodes), Number(values.pods)];
  report(
    await benchLarge({ nodes, pods, seconds: Number(values.seconds), rate: Number(values.rate) }),
  );
}
