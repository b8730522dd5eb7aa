/**
 * How much does group commit bring? Writers of single-key transactions through the store, beside the
 * same writes as individual conditional puts, and beside etcd's where it is installed.
 *
 *     node bench/store/group-commit.ts [--writers 64] [--seconds 3] [--runs 3]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { headers } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { startNats } from "../../test/nats-server.ts";
import { report } from "../report.ts";

type Put = (writer: number, value: Uint8Array) => Promise<void>;
type Params = { readonly writers: number; readonly seconds: number; readonly runs: number };
type Result = { readonly name: string; readonly perSecond: readonly number[] };

const value = new TextEncoder().encode("x".repeat(512));

/** @returns one result a way of writing; the individual puts are the baseline */
export async function benchGroupCommit(params: Params): Promise<readonly Result[]> {
  const { writers } = params;
  await using servers = await startNats();
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  await using store = await natsStore({ url: servers.url, bucket: "bench", ...ports });
  const connection = await connect({ servers: [...servers.urls] });
  const revisions = Array.from<number>({ length: writers }).fill(0);
  const grouped: Put = async (writer, value) => {
    const expect = revisions[writer] ?? 0;
    const outcome = await store.commit([{ op: "put", key: `grouped.${writer}`, expect, value }]);
    if (!outcome.ok) throw new Error("a writer lost a race against itself");
    revisions[writer] = outcome.revision;
  };
  const sequences = Array.from<number>({ length: writers }).fill(0);
  const single: Put = async (writer, value) => {
    const expected = headers();
    expected.set("Nats-Expected-Last-Subject-Sequence", String(sequences[writer] ?? 0));
    const subject = `$KV.bench.single.${writer}`;
    const reply = await connection.request(subject, value, { headers: expected, timeout: 5_000 });
    sequences[writer] = reply.json<{ seq: number }>().seq;
  };
  try {
    const results = await inTurn({ "group-commit": grouped, "individual-puts": single }, params);
    return isInstalled("etcd") ? [...results, await benchEtcd(params)] : results;
  } finally {
    await connection.close();
  }
}

/** Each way once, then each again: the machine's speed drifts, for all of them alike. */
async function inTurn(ways: Readonly<Record<string, Put>>, params: Params): Promise<Result[]> {
  const results = Object.entries(ways).map(([name, put]) => ({ name, put, rates: [] as number[] }));
  for (let run = 0; run < params.runs; run += 1) {
    for (const { put, rates } of results) rates.push(await rateOf(put, params));
  }
  return results.map(({ name, rates }) => ({ name, perSecond: rates }));
}

async function rateOf(put: Put, { writers, seconds }: Params): Promise<number> {
  const start = systemClock.monotonicMs();
  const end = start + seconds * 1_000;
  let written = 0;
  const write = async (writer: number) => {
    while (systemClock.monotonicMs() < end) {
      await put(writer, value);
      written += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return written / ((systemClock.monotonicMs() - start) / 1_000);
}

const isInstalled = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** The same over etcd's JSON gateway: a conditional transaction a write. */
async function benchEtcd(params: Params): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "berth-etcd-"));
  const [client, peer] = [20_000, 30_000].map(
    (base) => base + Math.floor(systemRandom.next() * 9_000),
  );
  const url = `http://127.0.0.1:${client}`;
  const peers = `http://127.0.0.1:${peer}`;
  const etcd = spawn(
    "etcd",
    [
      ["--data-dir", folder],
      ["--listen-client-urls", url, "--advertise-client-urls", url],
      ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
      ["--initial-cluster", `default=${peers}`],
    ].flat(),
    { stdio: "ignore" },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: params.writers });
  const revisions = new Map<number, string>();
  try {
    await answers(url, agent);
    const put: Put = async (writer, value) => {
      const key = Buffer.from(`bench/${writer}`).toString("base64");
      const body = {
        compare: [
          { key, target: "MOD", result: "EQUAL", modRevision: revisions.get(writer) ?? "0" },
        ],
        success: [{ requestPut: { key, value: Buffer.from(value).toString("base64") } }],
      };
      const answer = await post(`${url}/v3/kv/txn`, JSON.stringify(body), agent);
      const parsed: { succeeded?: boolean; header?: { revision?: string } } = JSON.parse(answer);
      if (parsed.succeeded !== true) throw new Error("etcd refused a write");
      revisions.set(writer, parsed.header?.revision ?? "0");
    };
    const [etcdResult] = await inTurn({ etcd: put }, params);
    if (etcdResult === undefined) throw new Error("nothing was measured");
    return etcdResult;
  } finally {
    agent.destroy();
    if (etcd.exitCode === null && etcd.kill("SIGTERM")) await once(etcd, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

async function answers(url: string, agent: Agent): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      await post(`${url}/v3/maintenance/status`, "{}", agent);
      return;
    } catch {
      await systemClock.sleep(50);
    }
  }
  throw new Error("etcd did not start");
}

function post(url: string, body: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString()));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      writers: { type: "string", default: "64" },
      seconds: { type: "string", default: "3" },
      runs: { type: "string", default: "3" },
    },
  });
  const params = {
    writers: Number(values.writers),
    seconds: Number(values.seconds),
    runs: Number(values.runs),
  };
  const results = await benchGroupCommit(params);
  const baseline = results.find(({ name }) => name === "individual-puts");
  report(
    results.map(({ name, perSecond }) => ({
      bench: `store/${name}`,
      params: { writers: params.writers, valueBytes: value.length },
      unit: "transactions/s",
      measured: perSecond,
      baseline: { name: "individual-puts", measured: baseline?.perSecond ?? [] },
    })),
  );
}
