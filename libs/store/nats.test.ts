import { afterAll, beforeAll } from "vitest";
import { type NatsServers, startNats } from "../../test/nats-server.ts";
import { storeContract } from "./contract.ts";
import { storeModel } from "./contract-model.ts";
import { natsBuckets } from "./nats-buckets.ts";

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
