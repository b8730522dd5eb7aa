import { describe, expect, test } from "vitest";
import { flowing, virtualClock } from "./virtual-clock.ts";

describe("a virtual clock", () => {
  test("runs timers in the order of their times, each at its own", async () => {
    const clock = virtualClock(1_000);
    const seen: [string, number][] = [];
    clock.after(20, () => seen.push(["late", clock.now()]));
    clock.after(10, () => {
      seen.push(["early", clock.now()]);
      clock.after(5, () => seen.push(["nested", clock.now()]));
    });
    await clock.advance(30);
    expect(seen).toEqual([
      ["early", 1_010],
      ["nested", 1_015],
      ["late", 1_020],
    ]);
    expect(clock.monotonicMs()).toBe(30);
  });

  test("wakes a sleeper at its time, or when its signal aborts", async () => {
    const clock = virtualClock();
    const stop = new AbortController();
    const woken: string[] = [];
    const slept = clock.sleep(50).then(() => woken.push("time"));
    const stopped = clock.sleep(1_000, stop.signal).then(() => woken.push("signal"));
    await clock.advance(49);
    expect(woken).toEqual([]);
    stop.abort();
    await clock.advance(1);
    await Promise.all([slept, stopped]);
    expect(woken).toEqual(["signal", "time"]);
    expect(clock.nextDueMs()).toBeUndefined();
  });

  test("flows by itself from timer to timer", async () => {
    const clock = virtualClock();
    using _flow = flowing(clock);
    await clock.sleep(3_600_000);
    await clock.sleep(3_600_000);
    expect(clock.monotonicMs()).toBe(7_200_000);
  });
});
