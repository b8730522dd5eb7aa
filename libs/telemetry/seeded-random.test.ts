import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "./seeded-random.ts";

describe("seeded chance", () => {
  test("repeats with its seed, and differs with another", () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      return [random.next(), random.uuid(), ...random.bytes(4)];
    };
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(run(seed)).toEqual(run(seed));
      }),
    );
    expect(run(1)).not.toEqual(run(2));
  });

  test("spreads over [0, 1) and makes well-formed UUIDs", () => {
    const random = seededRandom(7);
    const drawn = Array.from({ length: 10_000 }, () => random.next());
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    const tenths = new Set(drawn.map((value) => Math.floor(value * 10)));
    expect(tenths.size).toBe(10);
    expect(random.uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
