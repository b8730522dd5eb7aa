import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsServers, startNats } from "../../test/nats-server.ts";
import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import { storeContract } from "./contract.ts";
import { storeModel } from "./contract-model.ts";
import { natsBuckets } from "./nats-buckets.ts";
import { natsStore } from "./nats.ts";

let servers: NatsServers;
beforeAll(async () => {
  servers = await startNats();
});
afterAll(async () => {
  await servers[Symbol.asyncDispose]();
});

storeContract("natsStore", () => natsBuckets(() => servers, { tombstoneSeconds: 1 }));
storeModel("natsStore", () => natsBuckets(() => servers, { tombstoneSeconds: 1 }), {
  runs: 6,
  size: 12,
});

test("natsStore follows with a consumer that makes deletes no dearer (ADR 7)", async () => {
  const ports = {
    clock: systemClock,
    random: systemRandom,
    log: createLog("test", "silent"),
    bucket: "consumers",
  };
  await using store = await natsStore({ url: servers.url, ...ports });
  const outcome = await store.commit([
    { op: "put", key: "a", expect: "absent", value: new Uint8Array([1]) },
  ]);
  const stop = new AbortController();
  const feed = store.feed({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  for (let item = await feed.next(); item.value?.type !== "idle"; item = await feed.next()) {
    expect(item.done).toBe(false);
  }
  expect(outcome.ok).toBe(true);

  const connection = await connect({ servers: [...servers.urls] });
  try {
    const reply = await connection.request("$JS.API.CONSUMER.LIST.KV_consumers", "{}");
    const { consumers } = reply.json<{ consumers: { config: { deliver_policy: string } }[] }>();
    expect(consumers.map(({ config }) => config.deliver_policy)).toEqual(["by_start_sequence"]);
  } finally {
    stop.abort();
    await feed.return?.();
    await connection.close();
  }
});
