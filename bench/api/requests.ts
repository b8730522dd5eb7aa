/**
 * What does the gateway add? One create and one get beside a bare put and get of NATS; the creates of
 * many clients beside the store's own group-committed transactions.
 *
 *     node bench/api/requests.ts [--count 500] [--clients 64] [--runs 3]
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { report, type Result } from "../report.ts";
import { placeIn } from "../../test/https-client.ts";
import { type BareClient, bareClient } from "./bare-client.ts";
import { benchGateway, each, must, percentile, timed } from "./gateway.ts";

type Params = {
  /** Requests that are timed one after the other. */
  readonly count: number;
  readonly clients: number;
  readonly runs: number;
};

const body = (name: string) => ({
  metadata: { name },
  data: { text: "x".repeat(400) },
});
const name = (run: number, nth: number) => (nth < 0 ? `warm-${run}${nth}` : `one-${run}-${nth}`);
const path = "/api/v1/namespaces/bench/configmaps";

export async function benchRequests(params: Params): Promise<readonly Result[]> {
  await using gateway = await benchGateway();
  const connection = await connect({ servers: [...gateway.nats.urls] });
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  using bare = await bareClient(placeIn(await readFile(gateway.kubeconfig, "utf8")));
  await using store = await natsStore({ url: gateway.nats.url, bucket: "bare", ...ports });
  try {
    const taken = { create: [], put: [], get: [], read: [] } as Record<string, number[]>;
    const rates = { gateway: [] as number[], store: [] as number[] };
    for (let run = 0; run < params.runs; run += 1) {
      const times = await oneByOne(bare, connection, { run, count: params.count });
      for (const [name, all] of Object.entries(times)) taken[name]?.push(percentile(all, 0.5));
      const many = { count: params.count * 8, clients: params.clients };
      rates.gateway.push(
        await rateOf(many, async (nth) => {
          await must(gateway.client.call("POST", path, { body: body(`many-${run}-${nth}`) }));
        }),
      );
      const value = new TextEncoder().encode(JSON.stringify(body("x")).padEnd(900));
      rates.store.push(
        await rateOf(many, async (nth) => {
          const key = `many.${run}.${nth}`;
          const outcome = await store.commit([{ op: "put", key, expect: "absent", value }]);
          if (!outcome.ok) throw new Error("a new key was there already");
        }),
      );
    }
    const { count, clients } = params;
    return [
      result(
        "api/create",
        "ms",
        taken["create"],
        { name: "NATS put", of: taken["put"] },
        { count },
      ),
      result("api/get", "ms", taken["get"], { name: "NATS get", of: taken["read"] }, { count }),
      result(
        "api/creates",
        "creates/s",
        rates.gateway,
        { name: "group commit", of: rates.store },
        { clients },
      ),
    ];
  } finally {
    await connection.close();
  }
}

function result(
  bench: string,
  unit: string,
  measured: readonly number[] = [],
  { name, of = [] }: { readonly name: string; readonly of: readonly number[] | undefined },
  params: Result["params"],
): Result {
  return { bench, params, unit, measured, baseline: { name, measured: of } };
}

/**
 * Each with its peer in turn, so that the machine's drift is the same for both. A fifth as many come before
 * that, and are not counted: what is measured is a gateway that has been at work.
 */
async function oneByOne(
  gateway: BareClient,
  connection: NatsConnection,
  { run, count }: { readonly run: number; readonly count: number },
) {
  const times = {
    create: [] as number[],
    put: [] as number[],
    get: [] as number[],
    read: [] as number[],
  };
  const value = new TextEncoder().encode(JSON.stringify(body("x")).padEnd(900));
  const absent = headers();
  absent.set("Nats-Expected-Last-Subject-Sequence", "0");
  for (let nth = -Math.ceil(count / 5); nth < count; nth += 1) {
    const made = await timed(() =>
      gateway.ask("POST", path, { body: JSON.stringify(body(name(run, nth))) }),
    );
    const put = await timed(async () => {
      const subject = `$KV.bare.${name(run, nth)}`;
      const reply = await connection.request(subject, value, { headers: absent, timeout: 5_000 });
      if (!("seq" in reply.json<object>())) throw new Error("a put was refused");
    });
    if (nth < 0) continue;
    times.create.push(made);
    times.put.push(put);
  }
  for (let nth = -Math.ceil(count / 5); nth < count; nth += 1) {
    const got = await timed(() => gateway.ask("GET", `${path}/${name(run, Math.abs(nth))}`));
    const read = await timed(() =>
      connection.request(`$JS.API.DIRECT.GET.KV_bare.$KV.bare.${name(run, Math.abs(nth))}`),
    );
    if (nth < 0) continue;
    times.get.push(got);
    times.read.push(read);
  }
  return times;
}

async function rateOf(
  { count, clients }: { readonly count: number; readonly clients: number },
  work: (nth: number) => Promise<void>,
): Promise<number> {
  const begun = performance.now();
  await each(count, clients, work);
  return count / ((performance.now() - begun) / 1_000);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "500" },
      clients: { type: "string", default: "64" },
      runs: { type: "string", default: "3" },
    },
  });
  const { count, clients, runs } = values;
  report(
    await benchRequests({ count: Number(count), clients: Number(clients), runs: Number(runs) }),
  );
}
