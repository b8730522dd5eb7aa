import { expect, test } from "vitest";
import type { Failing } from "../../libs/actor/runtime.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { failingSubject } from "../../libs/protocol/subjects.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { start } from "./fixtures.ts";
import { serveFailing } from "./failing.ts";

const failing = (address: string): Failing => ({
  address,
  attempts: 3,
  lastError: "refused",
  since: start,
  retryAt: start + 1_000,
});

test("whichever instance is asked says what fails on all, and lets one be tried again", async () => {
  const log = createLog("test", "silent");
  await using bus = memoryBus({ clock: virtualClock(start), log });
  const retried: string[] = [];
  const serve = (instance: string) =>
    serveFailing(
      { bus, instance, log, instances: () => ["c1", "c2", "c3-that-has-gone"] },
      {
        failing: () => [failing(`deployments/default/of-${instance}`)],
        retry: (address) => retried.push(`${instance} ${address}`) > 0,
      },
    );
  await using _first = await serve("c1");
  await using _second = await serve("c2");
  const request = new TextEncoder().encode(JSON.stringify({ retry: "deployments/default/of-c2" }));
  const answer = await bus.request(failingSubject, request);
  expect(JSON.parse(new TextDecoder().decode(answer))).toMatchObject([
    { address: "deployments/default/of-c1", instance: "c1", lastError: "refused" },
    { address: "deployments/default/of-c2", instance: "c2" },
  ]);
  expect(retried.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    "c1 deployments/default/of-c2",
    "c2 deployments/default/of-c2",
  ]);
});
