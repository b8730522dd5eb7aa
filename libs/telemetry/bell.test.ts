import { expect, test } from "vitest";
import { bell } from "./bell.ts";
import { virtualClock } from "./virtual-clock.ts";

test("a bell wakes its waiter, and keeps a ring that nobody waited for", async () => {
  const wake = bell(virtualClock());
  const { signal } = new AbortController();
  const waiting = wake.wait(undefined, signal);
  wake.ring();
  expect(await waiting).toBe(true);
  wake.ring();
  expect(await wake.wait(undefined, signal)).toBe(true);
});

test("a bell that does not ring lets its waiter go at the time, or when it is to stop", async () => {
  const clock = virtualClock();
  const wake = bell(clock);
  const stop = new AbortController();
  const limited = wake.wait(1_000, stop.signal);
  await clock.advance(1_000);
  expect(await limited).toBe(false);
  const stopped = wake.wait(undefined, stop.signal);
  stop.abort();
  expect(await stopped).toBe(false);
});
