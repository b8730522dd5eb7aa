import { afterAll, beforeAll } from "vitest";
import { systemClock as clock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom as random } from "../telemetry/random.ts";
import { busContract } from "./contract.ts";
import { natsBus } from "./nats.ts";
import { cable, natsFixture, type NatsFixture } from "./nats-fixture.ts";

const log = createLog("test", "silent");
let server: NatsFixture;

beforeAll(async () => {
  server = await natsFixture();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

busContract("natsBus", async () => {
  const link = await cable(server.port);
  const near = await natsBus({ url: server.url, name: "near", clock, random, log });
  const far = await natsBus({ url: link.url, name: "far", clock, random, log });
  return {
    near,
    far,
    cut: () => link.cut(),
    mend: () => link.mend(),
    async [Symbol.asyncDispose]() {
      await Promise.all([near[Symbol.asyncDispose](), far[Symbol.asyncDispose]()]);
      await link[Symbol.asyncDispose]();
    },
  };
});
