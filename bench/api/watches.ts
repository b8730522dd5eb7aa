/**
 * How soon does a change reach its watchers? Many watches of one gateway, a change at a time, which is
 * committed to the store as a controller would, and counts from when that is acknowledged; beside a plain
 * HTTPS server that writes the same line to as many open replies. And what a watch costs in memory. The
 * first changes, as many again as a fifth of all, are not counted.
 *
 *     node bench/api/watches.ts [--watchers 100,1000] [--changes 50]
 */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { keyOf } from "../../libs/cluster/key.ts";
import { configMap } from "../../libs/model/kinds/configmap.ts";
import { natsStore } from "../../libs/store/nats.ts";
import type { Store } from "../../libs/store/store.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import type { HttpsPlace } from "../../test/https-client.ts";
import { report, type Result } from "../report.ts";
import { type BenchGateway, benchGateway, each, must, percentile } from "./gateway.ts";
import { plainServer } from "./plain-server.ts";

type Params = { readonly watchers: readonly number[]; readonly changes: number };

const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
const key = keyOf(configMap, "bench", "one");
const path = "/api/v1/namespaces/bench/configmaps";

export async function benchWatches({ watchers, changes }: Params): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const count of watchers) results.push(...(await benchFanOut(count, changes)));
  return results;
}

async function benchFanOut(watchers: number, changes: number): Promise<readonly Result[]> {
  await using gateway = await benchGateway();
  const server = await serverOf(gateway);
  await must(gateway.client.call("POST", path, { body: { metadata: { name: "one" } } }));
  const before = await gateway.memory();
  const ours = await openAll(server, `${path}?watch=true`, watchers);
  const watchKiB = ((await gateway.memory()) - before) * (1_024 / watchers);
  const open = new Set<ServerResponse>();
  await using plain = await plainServer((_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    open.add(response);
  });
  const theirs = await openAll(plain, "/", watchers);
  await using store = await natsStore({ url: gateway.nats.url, bucket: "state", ...ports });
  let { value, revision } = await stored(store);
  try {
    const [measured, bare]: [number[], number[]] = [[], []];
    const unmeasured = Math.ceil(changes / 5);
    for (let nth = -unmeasured; nth < changes; nth += 1) {
      const text = `change-${nth}.`;
      const taken = await arrivals(ours, text, async () => {
        value = { ...value, data: { text } };
        const bytes = new TextEncoder().encode(JSON.stringify(value));
        const outcome = await store.commit([{ op: "put", key, expect: revision, value: bytes }]);
        if (!outcome.ok) throw new Error("somebody else changed it");
        ({ revision } = outcome);
      });
      const bareTaken = await arrivals(theirs, text, async () => {
        for (const response of open) response.write(text.padEnd(500));
      });
      if (nth < 0) continue;
      measured.push(...taken);
      bare.push(...bareTaken);
    }
    const params = { watchers, changes };
    const fanOut = (share: number): Result => ({
      bench: `api/fan-out-p${share * 100}`,
      params,
      unit: "ms",
      measured: [percentile(measured, share)],
      baseline: { name: "a plain HTTPS server", measured: [percentile(bare, share)] },
    });
    return [
      fanOut(0.5),
      fanOut(0.99),
      {
        bench: "api/watch-memory",
        params,
        unit: "KiB",
        measured: [watchKiB],
        baseline: { name: "the gateway before them", measured: [before * 1_024] },
      },
    ];
  } finally {
    for (const one of [...ours, ...theirs]) one.reply.destroy();
  }
}

type Watching = { readonly reply: IncomingMessage; seen: (text: string) => void };

async function openAll(
  { server, authority, token }: HttpsPlace,
  where: string,
  count: number,
): Promise<readonly Watching[]> {
  const agent = new Agent({ ca: authority, maxSockets: Number.POSITIVE_INFINITY });
  const opened: Watching[] = [];
  await each(count, 32, async () => {
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      request(new URL(where, server), { agent, headers }, resolve).on("error", reject).end();
    });
    const one: Watching = { reply, seen: () => undefined };
    reply.on("data", (chunk: Buffer) => one.seen(chunk.toString()));
    reply.on("error", () => undefined); // Destroyed at the end, by us.
    opened.push(one);
  });
  return opened;
}

/** The object as it stands in the store. */
async function stored(store: Store) {
  const all = await store.recorded([key], await store.lastRevision());
  const entry = all.get(key);
  if (entry === undefined) throw new Error("it is not there");
  return {
    value: JSON.parse(new TextDecoder().decode(entry.value)) as object,
    revision: entry.revision,
  };
}

/** How long after `act` was over each watcher has seen `text`, ms; before it: 0. */
async function arrivals(
  watching: readonly Watching[],
  text: string,
  act: () => Promise<void>,
): Promise<readonly number[]> {
  const all = watching.map(
    (one) =>
      new Promise<number>((resolve) => {
        one.seen = (seen) => {
          if (seen.includes(text)) resolve(performance.now());
        };
      }),
  );
  await act();
  const over = performance.now();
  return (await Promise.all(all)).map((at) => Math.max(at - over, 0));
}

async function serverOf({ kubeconfig }: BenchGateway): Promise<HttpsPlace> {
  const { clusters, users } = parse(await readFile(kubeconfig, "utf8")) as {
    clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
    users: [{ user: { token: string } }];
  }; // As the gateway writes it.
  const { cluster } = clusters[0];
  const authority = Buffer.from(cluster["certificate-authority-data"], "base64").toString();
  return { server: cluster.server, authority, token: users[0].user.token };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      watchers: { type: "string", default: "100,1000" },
      changes: { type: "string", default: "50" },
    },
  });
  report(
    await benchWatches({
      watchers: values.watchers.split(",").map(Number),
      changes: Number(values.changes),
    }),
  );
}
