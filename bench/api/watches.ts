/**
 * How soon does a change reach its watchers? Many watches of one gateway, a change at a time, beside a
 * plain HTTPS server that writes the same line to as many open replies; and what a watch costs in memory.
 *
 *     node bench/api/watches.ts [--watchers 100,1000] [--changes 50]
 */
import type { IncomingMessage } from "node:http";
import { Agent, createServer, request } from "node:https";
import type { ServerResponse } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { openAuthority, serverIdentity } from "../../services/api/pki/authority.ts";
import { report, type Result } from "../report.ts";
import { type BenchGateway, benchGateway, each, must, percentile } from "./gateway.ts";

type Params = { readonly watchers: readonly number[]; readonly changes: number };
type Server = { readonly url: string; readonly authority: string; readonly token: string };

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
  await using plain = await plainServer();
  const theirs = await openAll(plain, "/", watchers);
  try {
    const [measured, bare]: [number[], number[]] = [[], []];
    for (let nth = 0; nth < changes; nth += 1) {
      const text = `change-${nth}.`;
      measured.push(
        ...(await arrivals(ours, text, async () => {
          const patch = { data: { text } };
          const contentType = "application/merge-patch+json";
          await must(gateway.client.call("PATCH", `${path}/one`, { body: patch, contentType }));
        })),
      );
      bare.push(...(await arrivals(theirs, text, async () => plain.write(text.padEnd(500)))));
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
  { url, authority, token }: Server,
  where: string,
  count: number,
): Promise<readonly Watching[]> {
  const agent = new Agent({ ca: authority, maxSockets: Number.POSITIVE_INFINITY });
  const opened: Watching[] = [];
  await each(count, 32, async () => {
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      request(new URL(where, url), { agent, headers }, resolve).on("error", reject).end();
    });
    const one: Watching = { reply, seen: () => undefined };
    reply.on("data", (chunk: Buffer) => one.seen(chunk.toString()));
    reply.on("error", () => undefined); // Destroyed at the end, by us.
    opened.push(one);
  });
  return opened;
}

/** How long after `act` began each watcher has seen `text`, ms. */
async function arrivals(
  watching: readonly Watching[],
  text: string,
  act: () => Promise<void>,
): Promise<readonly number[]> {
  let begun = Number.NaN;
  const all = watching.map(
    (one) =>
      new Promise<number>((resolve) => {
        one.seen = (seen) => {
          if (seen.includes(text)) resolve(performance.now() - begun);
        };
      }),
  );
  begun = performance.now();
  await act();
  return Promise.all(all);
}

async function serverOf({ kubeconfig }: BenchGateway): Promise<Server> {
  const { clusters, users } = parse(await readFile(kubeconfig, "utf8")) as {
    clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
    users: [{ user: { token: string } }];
  }; // As the gateway writes it.
  const { cluster } = clusters[0];
  const authority = Buffer.from(cluster["certificate-authority-data"], "base64").toString();
  return { url: cluster.server, authority, token: users[0].user.token };
}

/** An HTTPS server whose replies stay open; `write` goes to all of them. */
async function plainServer() {
  const folder = await mkdtemp(join(tmpdir(), "berth-bench-"));
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  const authority = await openAuthority(folder, ports);
  const { certificate, privateKey } = await serverIdentity(authority, ["127.0.0.1"], ports);
  const open = new Set<ServerResponse>();
  const server = createServer({ cert: certificate, key: privateKey }, (_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    open.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `https://127.0.0.1:${port}`,
    authority: authority.certificate,
    token: "",
    write(text: string) {
      for (const response of open) response.write(text);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
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
