import fc from "fast-check";
import { expect, test } from "vitest";
import { rates } from "./rates.ts";

const sample = (cpuNanoseconds: number, atMs: number) => ({ cpuNanoseconds, memoryBytes: 5, atMs });

test("the first sample says nothing of CPU", () => {
  expect(rates().next("a", sample(1e9, 0))).toBeUndefined();
});

test("a rate is the mean of the last two periods", () => {
  const measured = rates();
  const told = [sample(0, 0), sample(1e9, 2_000), sample(5e9, 4_000), sample(5e9, 6_000)].map(
    (one) => measured.next("a", one),
  );
  expect(told).toEqual([
    undefined,
    { cpuNanoCores: 5e8, windowMs: 2_000, memoryBytes: 5 },
    { cpuNanoCores: 1.25e9, windowMs: 4_000, memoryBytes: 5 },
    { cpuNanoCores: 1e9, windowMs: 4_000, memoryBytes: 5 },
  ]);
});

test("a counter that went back begins anew", () => {
  const measured = rates();
  measured.next("a", sample(9e9, 0));
  expect(measured.next("a", sample(1e9, 2_000))).toBeUndefined();
  expect(measured.next("a", sample(2e9, 4_000))?.cpuNanoCores).toBe(5e8);
});

test("what is not kept is forgotten", () => {
  const measured = rates();
  measured.next("a", sample(0, 0));
  measured.keep(new Set());
  expect(measured.next("a", sample(1e9, 2_000))).toBeUndefined();
});

test("a rate lies between the slowest and the fastest of its periods", () => {
  const steps = fc.array(fc.record({ used: fc.nat(4e9), ms: fc.integer({ min: 1, max: 5_000 }) }), {
    minLength: 2,
    maxLength: 10,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const measured = rates();
      measured.next("a", sample(0, 0));
      let [cpu, at] = [0, 0];
      for (const [nth, { used, ms }] of all.entries()) {
        [cpu, at] = [cpu + used, at + ms];
        const rate = measured.next("a", sample(cpu, at));
        const last = all
          .slice(Math.max(nth - 1, 0), nth + 1)
          .map((one) => (one.used / one.ms) * 1e3);
        expect(rate?.cpuNanoCores).toBeGreaterThanOrEqual(Math.floor(Math.min(...last)));
        expect(rate?.cpuNanoCores).toBeLessThanOrEqual(Math.ceil(Math.max(...last)));
      }
    }),
  );
});
