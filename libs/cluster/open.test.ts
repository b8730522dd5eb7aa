import { expect, test } from "vitest";
import { memoryBucket } from "../store/memory-bucket.ts";
import { type MemoryFaults, noFaults } from "../store/memory-faults.ts";
import { memoryStore } from "../store/memory.ts";
import { StoreUnavailable } from "../store/store.ts";
import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import { clusterOn } from "./open.ts";
import { settingsFromEnvironment } from "./settings.ts";

const settings = settingsFromEnvironment.parse({});
const log = createLog("test", "silent");

function opening(faults: Partial<MemoryFaults>) {
  const asked = Promise.withResolvers<void>();
  const ports = { clock: systemClock, random: systemRandom, log };
  const deliver: MemoryFaults["deliver"] = () => {
    asked.resolve();
    return faults.deliver?.() ?? "pass";
  };
  const bucket = memoryBucket({ clock: systemClock });
  const store = memoryStore({ bucket, faults: { ...noFaults, deliver }, ...ports });
  const [open, all] = [new AbortController(), new AbortController()];
  const cluster = clusterOn(store, settings, {
    ...ports,
    signal: all.signal,
    opening: open.signal,
  });
  return { store, cluster, asked: asked.promise, giveUp: () => open.abort() };
}

test("a cluster whose store does not answer is given up when that is asked for", async () => {
  const { cluster, asked, giveUp } = opening({ deliver: () => "cut" });
  await asked;
  giveUp();
  await expect(cluster).rejects.toBeInstanceOf(StoreUnavailable);
});

test("a cluster that is open stays open", async () => {
  const { store, cluster, giveUp } = opening({});
  await using opened = await cluster;
  giveUp();
  const value = new TextEncoder().encode("{}");
  const key = "nodes._.one";
  await store.commit([{ op: "put", key, expect: "absent", value }]);
  await opened.replica.caughtUp(await store.lastRevision());
  expect(opened.replica.revisionOf(key)).toBeGreaterThan(0);
});
