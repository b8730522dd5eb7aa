/**
 * How fast do the controllers work? A large Deployment is made and scaled to nothing, then many
 * Deployments are made and rolled at once, on nodes without containers. Beside each: how long the
 * same number of revisions takes the bare store, with 64 writers of single keys on the same server.
 *
 *     node bench/controllers/rollouts.ts [--controllers 1,2,4] [--pods 5000] [--deployments 500] [--replicas 10] [--nodes 60]
 */
import { parseArgs } from "node:util";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { type KubeClient, kubeClient } from "../cluster/kube-client.ts";
import { type Result, report } from "../report.ts";
import { barePutMs } from "../store/bare-puts.ts";
import { actorFigures, since } from "./actor-figures.ts";
import { hollowCluster } from "./hollow-cluster.ts";
import { cpuSeconds, residentMiB } from "./process-use.ts";

type Params = {
  readonly controllers: number;
  readonly pods: number;
  readonly deployments: number;
  readonly replicas: number;
  readonly nodes: number;
};

const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
const withinMs = 600_000;
const path = "/apis/apps/v1/namespaces/default/deployments";

export async function benchRollouts(params: Params): Promise<readonly Result[]> {
  const { controllers, pods, deployments, replicas, nodes } = params;
  await using cluster = await hollowCluster({ nodes, controllers });
  using client = await kubeClient(cluster);
  await using bus = await natsBus({ url: cluster.natsUrl, name: "bench", ...ports });
  await using store = await natsStore({ url: cluster.natsUrl, bucket: "state", ...ports });
  const perRevisionMs = await barePutMs(store);
  const results: Result[] = [];

  async function measure(what: string, act: () => Promise<void>): Promise<void> {
    const processes = [...cluster.processes];
    const use = () => new Map(processes.map(([name, one]) => [name, cpuSeconds(one.pid())]));
    const [before, cpuBefore] = [await actorFigures(bus), use()];
    const revision = await store.lastRevision();
    const begunMs = performance.now();
    await act();
    const tookMs = performance.now() - begunMs;
    const revisions = (await store.lastRevision()) - revision;
    const figures = since(before, await actorFigures(bus));
    const cpu = [...use()].map(
      ([name, seconds]) => [name, seconds - (cpuBefore.get(name) ?? 0)] as const,
    );
    const of = (start: string, values: readonly (readonly [string, number])[]) =>
      values.reduce((sum, [name, value]) => (name.startsWith(start) ? sum + value : sum), 0);
    const resident = processes.map(([name, one]) => [name, residentMiB(one.pid())] as const);
    results.push({
      bench: `controllers/${what}`,
      params,
      unit: "ms",
      measured: [tookMs],
      baseline: {
        name: "the same revisions by the bare store",
        measured: [revisions * perRevisionMs],
      },
      parts: {
        revisions,
        turns: figures.turns,
        turnsPerSecond: Math.round((figures.turns / tookMs) * 1_000),
        conflictsPercent: Number(((100 * figures.conflicts) / figures.turns).toFixed(2)),
        failed: figures.failed,
        ...Object.fromEntries(
          ["controllers", "scheduler", "api", "nats", "hollow"].flatMap((name) => [
            [`${name}CpuSeconds`, Number(of(name, cpu).toFixed(1))],
            [`${name}RssMiB`, Math.round(of(name, resident))],
          ]),
        ),
      },
    });
  }

  await using one = await follow(client);
  await measure("one-large-created", async () => {
    await client.call("POST", path, deployment("large", pods));
    await one.until("large", ({ available }) => available === pods);
  });
  await measure("one-large-emptied", async () => {
    await client.call("PATCH", `${path}/large`, { spec: { replicas: 0 } });
    await one.until("large", ({ replicas }) => replicas === 0);
    await noPods(client);
  });
  const names = Array.from({ length: deployments }, (_, nth) => `many-${nth}`);
  const each = async (act: (name: string) => Promise<unknown>) => {
    const left = [...names];
    const worker = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await act(name);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  };
  await measure("many-created", async () => {
    await each((name) => client.call("POST", path, deployment(name, replicas)));
    await Promise.all(
      names.map((name) => one.until(name, ({ available }) => available === replicas)),
    );
  });
  await measure("many-rolled", async () => {
    const template = { metadata: { annotations: { rolled: "yes" } } };
    await each((name) => client.call("PATCH", `${path}/${name}`, { spec: { template } }));
    const rolled = ({ updated, available, replicas: all, observed, generation }: Progress) =>
      observed === generation &&
      generation > 1 &&
      updated === replicas &&
      available === replicas &&
      all === replicas;
    await Promise.all(names.map((name) => one.until(name, rolled)));
  });
  return results;
}

type Progress = {
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
  readonly observed: number;
  readonly generation: number;
};
const event = z.object({
  object: z.object({
    metadata: z.object({ name: z.string(), generation: z.int() }),
    status: z
      .object({
        replicas: z.int().default(0),
        updatedReplicas: z.int().default(0),
        availableReplicas: z.int().default(0),
        observedGeneration: z.int().default(0),
      })
      .prefault({}),
  }),
});

type Follower = AsyncDisposable & {
  until(name: string, isSo: (progress: Progress) => boolean): Promise<void>;
};

/** Follows every Deployment over one watch. */
async function follow(client: KubeClient): Promise<Follower> {
  const watch = await client.watch(`${path}?watch=1`);
  const seen = new Map<string, Progress>();
  const waiting = new Set<{ readonly name: string; readonly look: () => void }>();
  const reading = (async () => {
    for await (const change of watch.events) {
      const { metadata, status } = event.parse(change).object;
      seen.set(metadata.name, {
        replicas: status.replicas,
        updated: status.updatedReplicas,
        available: status.availableReplicas,
        observed: status.observedGeneration,
        generation: metadata.generation,
      });
      for (const one of waiting) if (one.name === metadata.name) one.look();
    }
  })().catch(() => "the watch was closed");
  return {
    until: (name, isSo) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${name} came no further than ${JSON.stringify(seen.get(name))}`)),
          withinMs,
        );
        const one = {
          name,
          look() {
            const progress = seen.get(name);
            if (progress === undefined || !isSo(progress)) return;
            clearTimeout(timer);
            waiting.delete(one);
            resolve();
          },
        };
        waiting.add(one);
        one.look();
      }),
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await reading;
    },
  };
}

const list = z.object({ items: z.array(z.unknown()) });

async function noPods(client: KubeClient): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (
    list.parse(await client.call("GET", "/api/v1/namespaces/default/pods?limit=1")).items.length > 0
  ) {
    if (performance.now() > deadline) throw new Error("the pods did not go");
    await systemClock.sleep(50);
  }
}

const deployment = (name: string, replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "app", image: "berth/hello:v1" }] },
    },
  },
});

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      controllers: { type: "string", default: "1,2,4" },
      pods: { type: "string", default: "5000" },
      deployments: { type: "string", default: "500" },
      replicas: { type: "string", default: "10" },
      nodes: { type: "string", default: "60" },
    },
  });
  for (const controllers of values.controllers.split(",").map(Number)) {
    const [pods, deployments] = [Number(values.pods), Number(values.deployments)];
    const [replicas, nodes] = [Number(values.replicas), Number(values.nodes)];
    report(await benchRollouts({ controllers, pods, deployments, replicas, nodes }));
  }
}
