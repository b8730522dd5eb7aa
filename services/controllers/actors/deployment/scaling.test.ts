import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scaled } from "./scaling.ts";
import { type SetSize, staying, sum } from "./set-size.ts";

const set = (name: string, replicas: number, available: number, rest: Partial<SetSize> = {}) => ({
  name,
  isNew: name === "new",
  replicas,
  live: replicas,
  available,
  createdMs: name === "new" ? 2 : 1,
  desiredThen: undefined,
  maxThen: undefined,
  ...rest,
});

type Case = {
  readonly name: string;
  readonly sets: readonly SetSize[];
  readonly desired: number;
  readonly bounds: { readonly surge: number; readonly unavailable: number };
  readonly sizes: Readonly<Record<string, number>>;
};

describe("in the middle of an update another number of pods", () => {
  test.each<Case>([
    {
      name: "is shared by the sets' sizes",
      sets: [set("old", 6, 6, { maxThen: 10 }), set("new", 4, 4, { maxThen: 10 })],
      desired: 20,
      bounds: { surge: 0, unavailable: 0 },
      sizes: { old: 12, new: 8 },
    },
    {
      name: "takes nothing of what is available and promised, and does not exceed the surge either",
      sets: [set("old", 2, 2, { maxThen: 4 }), set("new", 2, 0, { maxThen: 4 })],
      desired: 2,
      bounds: { surge: 1, unavailable: 0 },
      sizes: { old: 2, new: 1 },
    },
    {
      name: "takes from the older of equal ones",
      sets: [set("old", 2, 2, { maxThen: 4 }), set("new", 2, 2, { maxThen: 4 })],
      desired: 3,
      bounds: { surge: 0, unavailable: 0 },
      sizes: { old: 1, new: 2 },
    },
  ])("$name", ({ sets, desired, bounds, sizes }) => {
    expect(Object.fromEntries(scaled(sets, desired, bounds, true))).toEqual(sizes);
  });

  test("never takes what is available and promised, nor wants more above the surge than that needs", () => {
    const sized = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(8));
    fc.assert(
      fc.property(
        sized,
        sized,
        fc.integer({ min: 1, max: 12 }),
        fc.record({ surge: fc.nat(3), unavailable: fc.nat(3) }),
        ([oldSize, oldAvailable], [newSize, newAvailable], desired, bounds) => {
          const sets = [
            set("old", oldSize, Math.min(oldAvailable, oldSize)),
            set("new", newSize, Math.min(newAvailable, newSize)),
          ];
          const [, fresh] = sets;
          fc.pre(fresh?.replicas !== desired || fresh.available < desired);
          const plan = scaled(sets, desired, bounds, true);
          const after = sets.map((one) => ({
            ...one,
            replicas: plan.get(one.name) ?? one.replicas,
          }));
          const promised = Math.min(desired - bounds.unavailable, sum(sets, staying));
          expect(sum(after, staying)).toBeGreaterThanOrEqual(promised);
          const most = Math.max(desired + bounds.surge, promised);
          expect(sum(after, ({ replicas }) => replicas)).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});
