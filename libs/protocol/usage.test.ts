import fc from "fast-check";
import { expect, test } from "vitest";
import { type PodUsage, usageContainersMax, usageParts, usagePodsMax } from "./usage.ts";

const aPod = (nth: number, containers: number): PodUsage => ({
  namespace: "n".repeat(63),
  name: "p".repeat(253),
  uid: `uid-${nth}`,
  containers: Array.from({ length: containers }, () => ({
    name: "c".repeat(63),
    cpuNanoCores: 123_456_789,
    windowMs: 4_000.123,
    memoryBytes: 1e12,
  })),
});

test("parts hold every pod once, in order, and are small enough for a message", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 400 }), (sizes) => {
      const pods = sizes.map((size, nth) => aPod(nth, size));
      const parts = usageParts(pods);
      expect(parts.flat()).toEqual(pods);
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(usagePodsMax);
        const containers = part.reduce((sum, pod) => sum + pod.containers.length, 0);
        expect(containers).toBeLessThanOrEqual(usageContainersMax);
        expect(JSON.stringify(part).length).toBeLessThan(500_000);
      }
    }),
    { numRuns: 30 },
  );
});
