import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  changesAnnotation,
  changesOn,
  type Memory,
  noting,
  recall,
  withChange,
} from "./history.ts";

const now = 1_000_000;
const at = { uid: "u1", current: 4, windowMs: 300_000, now };
const memory = (more: Partial<Memory> = {}): Memory => ({
  uid: "u1",
  at: now - 2_000,
  recommendations: [{ at: now - 2_000, replicas: 2 }],
  shownAt: 5,
  ...more,
});

describe("an instance remembers what it recommended", () => {
  test("while it has listened without a break", () => {
    expect(recall(memory(), at)).toEqual({ ...memory(), at: now });
  });

  test.each<readonly [string, Memory | undefined]>([
    ["it has just begun", undefined],
    ["another instance may have had its actor meanwhile", memory({ at: now - 6_001 })],
    ["another object has the name", memory({ uid: "u0" })],
    ["the clock went back", memory({ at: now + 1 })],
  ])("else the present number counts as asked for: %s (N1)", (_name, before) => {
    expect(recall(before, at)).toMatchObject({ recommendations: [{ at: now, replicas: 4 }] });
  });

  test("for as long as the window", () => {
    const old = { at: now - 300_000, replicas: 9 };
    const recent = { at: now - 299_999, replicas: 8 };
    const held = recall(memory({ recommendations: [old, recent] }), at);
    expect(held.recommendations).toEqual([recent]);
  });

  test("equal ones in a row once, as of the last", () => {
    const first = noting(memory({ at: 10, recommendations: [] }), 3);
    const again = noting({ ...first, at: 20 }, 3);
    expect(noting({ ...again, at: 30 }, 4).recommendations).toEqual([
      { at: 20, replicas: 3 },
      { at: 30, replicas: 4 },
    ]);
  });
});

describe("changes are noted on the object", () => {
  const read = (text: string) => changesOn({ [changesAnnotation]: text });

  test("and read again", () => {
    const change = { at: now, from: 1, to: 4 };
    expect(read(withChange([], change, 1_000))).toEqual([change]);
  });

  test.each(["[", "{}", '[["a",1,2]]', "[[1,-1,2]]"])("%s says nothing", (text) => {
    expect(read(text)).toEqual([]);
  });

  test("a bounded number of them, which tell the whole change all the same", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 2, maxLength: 300 }), (sizes) => {
        let held: ReturnType<typeof changesOn> = [];
        for (const [nth, to] of sizes.entries()) {
          const from = sizes[nth - 1] ?? 0;
          held = read(withChange(held, { at: now + nth, from, to }, 1e9));
        }
        expect(held.length).toBeLessThanOrEqual(100);
        const sum = held.reduce((total, { from, to }) => total + to - from, 0);
        expect(sum).toBe(sizes.at(-1));
      }),
      { numRuns: 30 },
    );
  });
});
