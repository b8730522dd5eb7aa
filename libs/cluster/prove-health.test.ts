import { expect, test } from "vitest";
import { ReplicaLagging } from "../store/replica.ts";
import { createLog } from "../telemetry/log.ts";
import { virtualClock } from "../telemetry/virtual-clock.ts";
import { proveHealth } from "./prove-health.ts";

test("a service is healthy while its reads are consistent and it works", async () => {
  const clock = virtualClock();
  const stop = new AbortController();
  const now = { reached: 7, working: true };
  let marks = 0;
  const cluster = {
    store: { lastRevision: async () => 7 },
    replica: {
      caughtUp: async (revision: number) => {
        if (revision > now.reached) throw new ReplicaLagging("behind");
      },
    },
  };
  const running = proveHealth({
    cluster,
    mark: () => (marks += 1),
    works: () => now.working,
    log: createLog("test", "silent"),
    clock,
    signal: stop.signal,
  });
  await clock.advance(2_000);
  expect(marks).toBe(2);

  now.reached = 6;
  await clock.advance(4_000);
  expect(marks).toBe(2);

  now.reached = 7;
  now.working = false;
  await clock.advance(4_000);
  expect(marks).toBe(2);

  now.working = true;
  await clock.advance(2_000);
  expect(marks).toBe(3);
  stop.abort();
  await running;
});
