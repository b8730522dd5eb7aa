/**
 * How fast are pods bound? Clients create them over HTTPS, all at once or at a steady rate, or one
 * Deployment does; a watch sees when each has its node. The nodes are only written down. Beside it, in
 * the same run: as many creates while no scheduler runs, and what the bare store commits.
 *
 *     node bench/scheduler/bound.ts [--nodes 100,1000,5000] [--pods 5000] [--schedulers 1,2,4]
 *         [--mix plain,spread,spread-nodes,anti,affinity,preemption] [--through pods|deployment] [--runs 1]
 *     node bench/scheduler/bound.ts --rate 1000 [--seconds 10] [--nodes 1000] [--schedulers 1]
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { manyNodesCIDR } from "../../scripts/supervisor/ranges.ts";
import { testCluster } from "../../test/cluster.ts";
import { placeIn } from "../../test/https-client.ts";
import { type BareClient, bareClient } from "../api/bare-client.ts";
import { percentile } from "../api/gateway.ts";
import { kubeClient } from "../cluster/kube-client.ts";
import { cpuSeconds } from "../controllers/process-use.ts";
import { type Result, report } from "../report.ts";
import { barePutMs } from "../store/bare-puts.ts";
import { figuresSince, schedulerFigures } from "./figures.ts";
import { followPods } from "./followed-pods.ts";
import { keptNodes } from "./kept-nodes.ts";
import {
  applicationsFor,
  fillersOnNode,
  highPriority,
  isMix,
  type Mix,
  mixes,
  podsOf,
  podTemplate,
} from "./mixes.ts";

type Size = { readonly nodes: number; readonly schedulers: number };
type Through = "pods" | "deployment";
type Work =
  | {
      readonly kind: "at-once";
      readonly mix: Mix;
      readonly through: Through;
      readonly pods: number;
      readonly runs: number;
    }
  | { readonly kind: "steady"; readonly rate: number; readonly seconds: number };

const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
const clients = 64;
const namespace = "default";
const path = `/api/v1/namespaces/${namespace}/pods`;
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;

export async function benchBound(size: Size, works: readonly Work[]): Promise<readonly Result[]> {
  await using bench = await open(size);
  const results: Result[] = [];
  for (const work of works) {
    results.push(
      ...(work.kind === "steady"
        ? await steady(bench, size, work)
        : await atOnce(bench, size, work)),
    );
  }
  return results;
}

type Bench = Awaited<ReturnType<typeof open>>;

async function open({ nodes, schedulers }: Size) {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await testCluster({ nodes: 0, schedulers, podCIDR: manyNodesCIDR }));
  const client = stack.use(await kubeClient(cluster));
  const kept = stack.use(await keptNodes(client, nodes));
  const { name, value } = highPriority;
  const priorities = "/apis/scheduling.k8s.io/v1/priorityclasses";
  await client.call("POST", priorities, { metadata: { name }, value });
  const bus = stack.use(await natsBus({ url: cluster.natsUrl, name: "bench", ...ports }));
  const store = stack.use(await natsStore({ url: cluster.natsUrl, bucket: "state", ...ports }));
  const place = placeIn(await readFile(cluster.kubeconfig, "utf8"));
  const bare = await Promise.all(Array.from({ length: clients }, () => bareClient(place)));
  for (const one of bare) stack.use(one);
  const opened = stack.move();
  return {
    cluster,
    client,
    kept,
    bus,
    store,
    bare,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What one measurement took, by pod. */
type Taken = {
  readonly sentAtMs: number;
  /** From a create to its answer. */
  readonly answers: readonly number[];
  /** By name, when the create was answered. */
  readonly answeredAtMs: ReadonlyMap<string, number>;
};

async function atOnce(
  bench: Bench,
  size: Size,
  work: Extract<Work, { kind: "at-once" }>,
): Promise<readonly Result[]> {
  const { mix, through, runs } = work;
  const pods = podsOf(mix, { ...size, pods: work.pods });
  const rates: number[] = [];
  const bare: number[] = [];
  let parts: Record<string, number> = {};
  for (let run = 0; run < runs; run += 1) {
    const applications =
      through === "deployment" ? 1 : applicationsFor({ pods, nodes: size.nodes });
    const bodies = bodiesOf(mix, pods, applications);
    const withoutMs = await withoutScheduler(bench, bodies);
    bare.push(pods / (withoutMs / 1_000));
    const putMs = await barePutMs(bench.store);
    if (mix === "preemption") await fill(bench, size.nodes);
    await bench.kept.renew();
    const measured = await measure(bench, pods, () =>
      through === "pods" ? createAll(bench.bare, bodies) : createOne(bench, mix, pods),
    );
    rates.push(pods / (measured.tookMs / 1_000));
    parts = { ...measured.parts, barePutsPerSecond: Math.round(1_000 / putMs) };
    await removeAll(bench);
  }
  return [
    {
      bench: `scheduler/bound-${through === "pods" ? "" : "deployment-"}${mix}`,
      params: { ...size, pods, ...(through === "pods" && { clients }) },
      unit: "pods/s",
      measured: rates,
      baseline: { name: "the same creates while no scheduler runs", measured: bare },
      parts,
    },
  ];
}

/** Pods that come one by one, whatever became of those before. */
async function steady(
  bench: Bench,
  size: Size,
  { rate, seconds }: Extract<Work, { kind: "steady" }>,
): Promise<readonly Result[]> {
  const pods = Math.round(rate * seconds);
  const bodies = bodiesOf("plain", pods, applicationsFor({ pods, nodes: size.nodes }));
  await bench.kept.renew();
  const { taken, boundAtMs, parts } = await measure(bench, pods, () =>
    createAll(bench.bare, bodies, 1_000 / rate),
  );
  const waits = [...taken.answeredAtMs].map(([name, atMs]) =>
    Math.max(0, (boundAtMs.get(name) ?? Number.NaN) - atMs),
  );
  await removeAll(bench);
  const result = (name: string, share: number): Result => ({
    bench: `scheduler/steady-${name}`,
    params: { ...size, rate, seconds, clients },
    unit: "ms",
    measured: [percentile(waits, share)],
    baseline: {
      name: "from a create to its answer",
      measured: [percentile(taken.answers, share)],
    },
    parts,
  });
  return [result("p50", 0.5), result("p99", 0.99)];
}

async function measure(bench: Bench, pods: number, create: () => Promise<Taken>) {
  const { cluster, bus, client } = bench;
  const use = () =>
    new Map([...cluster.processes].map(([name, one]) => [name, cpuSeconds(one.pid())]));
  await using followed = await followPods(client, namespace);
  const [before, cpuBefore] = [await schedulerFigures(bus), use()];
  const [taken] = await Promise.all([create(), followed.untilBound(pods)]);
  const { seenAtMs, boundAtMs } = followed;
  const tookMs = Math.max(...boundAtMs.values()) - taken.sentAtMs;
  const figures = figuresSince(before, await schedulerFigures(bus));
  const cpu = [...use()].map(([name, seconds]) => [
    `${name}CpuSeconds`,
    tenth(seconds - (cpuBefore.get(name) ?? 0)),
  ]);
  const lags = [...taken.answeredAtMs].map(([name, atMs]) => (seenAtMs.get(name) ?? 0) - atMs);
  const waits = [...boundAtMs].map(([name, atMs]) => atMs - (seenAtMs.get(name) ?? atMs));
  const lastAnswerMs = Math.max(taken.sentAtMs, ...taken.answeredAtMs.values());
  const parts = {
    // Those of the gateway.
    ...(taken.answers.length > 0 && {
      createsPerSecond: Math.round(pods / ((lastAnswerMs - taken.sentAtMs) / 1_000)),
      answerMsP50: tenth(percentile(taken.answers, 0.5)),
      answerMsP99: tenth(percentile(taken.answers, 0.99)),
      // A watch may show a pod before its create is answered.
      answeredToSeenMsP50: tenth(percentile(lags, 0.5)),
    }),
    seenToBoundMsP50: tenth(percentile(waits, 0.5)),
    seenToBoundMsP99: tenth(percentile(waits, 0.99)),
    // Of the schedulers, all of them together.
    batches: figures.batches,
    again: figures.again,
    refused: figures.refused,
    decideMs: Math.round(figures.decideSeconds * 1_000),
    commitMs: Math.round(figures.commitSeconds * 1_000),
    catchUpMs: Math.round(figures.catchUpSeconds * 1_000),
    ...Object.fromEntries(cpu),
  };
  return { taken, boundAtMs: new Map(boundAtMs), tookMs, parts };
}

const tenth = (value: number): number => Number(value.toFixed(1));

type Body = { readonly name: string; readonly text: string };

const bodiesOf = (mix: Mix | "filler", pods: number, applications: number): readonly Body[] =>
  Array.from({ length: pods }, (_, nth) => {
    const app = `${mix === "filler" ? mix : "app"}-${nth % applications}`;
    const { metadata, spec } = podTemplate(mix, app);
    const name = `${app}-${nth}`;
    return { name, text: JSON.stringify({ metadata: { ...metadata, name }, spec }) };
  });

/** @param everyMs one is due so long after the other; 0: each as soon as a client is free */
async function createAll(
  bare: readonly BareClient[],
  bodies: readonly Body[],
  everyMs = 0,
): Promise<Taken> {
  const answers: number[] = [];
  const answeredAtMs = new Map<string, number>();
  const sentAtMs = performance.now();
  let next = 0;
  const work = async (client: BareClient) => {
    for (let nth = next++; nth < bodies.length; nth = next++) {
      const body = bodies[nth];
      if (body === undefined) return;
      const earlyMs = sentAtMs + nth * everyMs - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      const begunMs = performance.now();
      await client.ask("POST", path, { body: body.text });
      const now = performance.now();
      answers.push(now - begunMs);
      answeredAtMs.set(body.name, now);
    }
  };
  await Promise.all(bare.map(work));
  return { sentAtMs, answers, answeredAtMs };
}

async function createOne({ client }: Bench, mix: Mix, replicas: number): Promise<Taken> {
  const sentAtMs = performance.now();
  await client.call("POST", deployments, {
    metadata: { name: "app-0" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "app-0" } },
      template: podTemplate(mix, "app-0"),
    },
  });
  return { sentAtMs, answers: [], answeredAtMs: new Map() };
}

/** @returns how long the creates took */
async function withoutScheduler(bench: Bench, bodies: readonly Body[]): Promise<number> {
  const schedulers = [...bench.cluster.processes.values()].filter(({ name }) =>
    name.startsWith("scheduler-"),
  );
  await Promise.all(schedulers.map((one) => one.stop()));
  const { sentAtMs, answeredAtMs } = await createAll(bench.bare, bodies);
  await removeAll(bench);
  for (const one of schedulers) one.start();
  await schedule(bench);
  return Math.max(...answeredAtMs.values()) - sentAtMs;
}

/** Resolves once the schedulers bind what there is. */
async function schedule(bench: Bench): Promise<void> {
  await using followed = await followPods(bench.client, namespace);
  await createAll(bench.bare, bodiesOf("plain", clients, 1));
  await followed.untilBound(clients);
  await removeAll(bench);
}

/** Leaves no CPU on any node. */
async function fill(bench: Bench, nodes: number): Promise<void> {
  const fillers = bodiesOf("filler", nodes * fillersOnNode, 1);
  await using followed = await followPods(bench.client, namespace);
  await createAll(bench.bare, fillers);
  await followed.untilBound(fillers.length);
}

const list = z.object({ items: z.array(z.unknown()) });

/** Pods and what would make them anew. */
async function removeAll({ client }: Bench): Promise<void> {
  await client.call("DELETE", deployments, { propagationPolicy: "Background" });
  for (;;) {
    await client.call("DELETE", path, { gracePeriodSeconds: 0 });
    if (list.parse(await client.call("GET", `${path}?limit=1`)).items.length === 0) return;
    await sleep(100);
  }
}

const numbers = (text: string): readonly number[] => text.split(",").map(Number);

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "100,1000,5000" },
      pods: { type: "string", default: "5000" },
      schedulers: { type: "string", default: "1,2,4" },
      mix: { type: "string", default: mixes.join() },
      through: { type: "string", default: "pods" },
      runs: { type: "string", default: "1" },
      rate: { type: "string" },
      seconds: { type: "string", default: "10" },
    },
  });
  const asked = values.mix.split(",");
  if (!asked.every(isMix)) throw new Error(`--mix: some of ${mixes.join()}`);
  if (values.through === "deployment" && asked.some((mix) => ["anti", "preemption"].includes(mix)))
    throw new Error(
      "--through deployment: one Deployment of so many pods finds no nodes in that mix",
    );
  const through = values.through === "deployment" ? "deployment" : "pods";
  const works: readonly Work[] =
    values.rate === undefined
      ? asked.map((mix) => {
          const [pods, runs] = [Number(values.pods), Number(values.runs)];
          return { kind: "at-once", mix, through, pods, runs } as const;
        })
      : [{ kind: "steady", rate: Number(values.rate), seconds: Number(values.seconds) }];
  for (const nodes of numbers(values.nodes)) {
    for (const schedulers of numbers(values.schedulers)) {
      report(await benchBound({ nodes, schedulers }, works));
    }
  }
}
