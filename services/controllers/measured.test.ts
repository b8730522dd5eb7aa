import { expect, test } from "vitest";
import { memoryBus } from "../../libs/bus/memory.ts";
import { metricsSubject } from "../../libs/protocol/subjects.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { start } from "./fixtures.ts";
import { serveMetrics } from "./measured.ts";

test("whichever instance is asked tells what is measured on all", async () => {
  const log = createLog("test", "silent");
  await using bus = memoryBus({ clock: virtualClock(start), log });
  const serve = (instance: string) =>
    serveMetrics(
      { bus, instance, log, instances: () => ["c1", "c2"] },
      { metrics: async () => `of_${instance} 1` },
    );
  await using _first = await serve("c1");
  await using _second = await serve("c2");
  const answer = await bus.request(metricsSubject, new Uint8Array());
  expect(JSON.parse(new TextDecoder().decode(answer))).toEqual([
    { instance: "c1", metrics: "of_c1 1" },
    { instance: "c2", metrics: "of_c2 1" },
  ]);
});
