import { expect, test } from "vitest";
import { ipAddress } from "../model/kinds/ipaddress.ts";
import { service } from "../model/kinds/service.ts";
import { memoryBucket } from "../store/memory-bucket.ts";
import { memoryStore } from "../store/memory.ts";
import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import { addressClaim } from "./address-claim.ts";
import { format } from "./format.ts";
import { formatKey, keyOf, settingsKey } from "./key.ts";
import { clusterOn, NewerFormat } from "./open.ts";
import { settingsFromEnvironment } from "./settings.ts";

const settings = settingsFromEnvironment.parse({});
const ports = {
  clock: systemClock,
  random: systemRandom,
  log: createLog("test", "silent"),
  signal: new AbortController().signal,
};
const web = service.schema.parse({
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "u1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { clusterIP: "10.96.0.77", clusterIPs: ["10.96.0.77"], ports: [{ port: 80 }] },
});

/** A state as it was written in `number`, with a Service and a claim that nobody has any more. */
async function stateOf(number: number) {
  const store = memoryStore({ bucket: memoryBucket({ clock: systemClock }) });
  const put = (key: string, value: unknown) =>
    store.commit([
      { op: "put", key, expect: "absent", value: new TextEncoder().encode(JSON.stringify(value)) },
    ]);
  await put(formatKey, number);
  await put(settingsKey, settings);
  await put(keyOf(service, "shop", "web"), web);
  await put("alloc.cluster-ip.10/96/0/77", { namespace: "shop", name: "web" });
  await put("alloc.cluster-ip.10/96/0/78", { namespace: "shop", name: "gone" });
  return store;
}

test("a state of format 1 gets IPAddresses in place of its claims, once", async () => {
  const store = await stateOf(1);
  for (const _time of ["first", "second"]) {
    const kept = { ...store, [Symbol.asyncDispose]: async () => undefined };
    await using cluster = await clusterOn(kept, settings, ports);
    await cluster.replica.caughtUp(await store.lastRevision());
    const [held, ...others] = cluster.view.list(ipAddress);
    expect(others).toEqual([]);
    expect(held).toMatchObject(addressClaim(web, "10.96.0.77"));
    expect([...cluster.view.raw.scan("alloc.")]).toEqual([]);
    expect(cluster.view.raw.get(formatKey)?.value).toBe(format);
  }
});

test("a state of a newer format is refused", async () => {
  const store = await stateOf(format + 1);
  await expect(clusterOn(store, settings, ports)).rejects.toBeInstanceOf(NewerFormat);
});
