import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Amount, rolloutBounds } from "./rollout.ts";

describe("the bounds of a rollout", () => {
  test.each<[number, Amount, Amount, number, number]>([
    [10, "25%", "25%", 3, 2],
    [3, 0, "10%", 0, 1],
    [1, "25%", "25%", 1, 0],
    [4, 2, 1, 2, 1],
    [0, "25%", "25%", 0, 1],
  ])(
    "of %i pods, surge %s, unavailable %s: %i and %i",
    (desired, maxSurge, maxUnavailable, surge, unavailable) => {
      expect(rolloutBounds({ maxSurge, maxUnavailable }, desired)).toEqual({ surge, unavailable });
    },
  );

  test("always let it move, and never promise more than was asked", () => {
    const amount = fc.oneof(
      fc.nat(50),
      fc.nat(100).map((percent): Amount => `${percent}%`),
    );
    fc.assert(
      fc.property(amount, amount, fc.nat(200), (maxSurge, maxUnavailable, desired) => {
        const { surge, unavailable } = rolloutBounds({ maxSurge, maxUnavailable }, desired);
        expect(surge + unavailable).toBeGreaterThan(0);
        expect(surge).toBeLessThanOrEqual(typeof maxSurge === "number" ? maxSurge : desired);
      }),
    );
  });
});
