/** Empty buckets on test servers, for the contract. */
import type { NatsServers } from "../../test/nats-server.ts";
import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import type { Bucket } from "./contract.ts";
import { streamOf } from "./key-subject.ts";
import { natsStore } from "./nats.ts";

type Options = { readonly tombstoneSeconds?: number; readonly replicas?: number };

/** The server looks for expired messages about once a second. */
const expiryLagMs = 1_000;

export async function natsBuckets(
  servers: () => NatsServers,
  options: Options = {},
): Promise<Bucket & { readonly stream: string }> {
  const bucket = `test-${systemRandom.uuid()}`;
  const opened = new AsyncDisposableStack();
  const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
  return {
    stream: streamOf(bucket),
    clock: systemClock,
    async open() {
      const store = await natsStore({ url: servers().url, bucket, ...ports, ...options });
      return opened.use(store);
    },
    expire: () => systemClock.sleep((options.tombstoneSeconds ?? 3_600) * 1_000 + expiryLagMs),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
