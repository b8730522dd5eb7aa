import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Behavior } from "../../../../libs/model/autoscaling/behavior.ts";
import { anAutoscaler } from "../../autoscaler-fixture.ts";
import {
  type Change,
  paceOf,
  periodMsOf,
  type Recommendation,
  tolerancesOf,
  windowMsOf,
} from "./pace.ts";

const now = 10_000_000;
const ago = (seconds: number) => now - seconds * 1_000;
const policy = (type: "Pods" | "Percent", value: number, periodSeconds: number) => ({
  type,
  value,
  periodSeconds,
});

type Given = {
  readonly behavior?: Behavior;
  readonly min?: number;
  readonly max?: number;
  readonly recommendations?: readonly Recommendation[];
  readonly changes?: readonly Change[];
};
const paced = (current: number, recommended: number, given: Given = {}) => {
  const { behavior, min = 1, max = 100, recommendations = [], changes = [] } = given;
  const asked = anAutoscaler({ maxReplicas: max, ...(behavior && { behavior }) });
  const spec = { ...asked.spec, minReplicas: min };
  return paceOf({ spec, current, recommended, recommendations, changes, now });
};
/** No window: what is recommended counts at once. */
const down = (rules: Behavior["scaleDown"] = {}) => ({
  behavior: { scaleDown: { stabilizationWindowSeconds: 0, ...rules } },
});
const up = (rules: Behavior["scaleUp"]) => ({ behavior: { scaleUp: rules } });

describe("without a behaviour", () => {
  test.each<readonly [string, number, number, Given, number, string]>([
    ["four pods more at once from one", 1, 50, {}, 5, "ScaleUpLimit"],
    ["twice as many at once from ten", 10, 50, {}, 20, "ScaleUpLimit"],
    [
      "no more than so in 15 s",
      20,
      50,
      { changes: [{ at: ago(10), from: 10, to: 20 }] },
      20,
      "ScaleUpLimit",
    ],
    [
      "again so many after 15 s",
      20,
      50,
      { changes: [{ at: ago(15), from: 10, to: 20 }] },
      40,
      "ScaleUpLimit",
    ],
    ["never more than the maximum", 4, 50, { max: 6 }, 6, "TooManyReplicas"],
    ["as many as are asked for", 4, 6, {}, 6, "DesiredWithinRange"],
    ["four from none", 0, 9, { min: 0 }, 4, "ScaleUpLimit"],
    ["fewer at once when nothing was asked for in 300 s", 10, 2, {}, 2, "DesiredWithinRange"],
    [
      "no fewer than were asked for in 300 s",
      10,
      2,
      { recommendations: [{ at: ago(299), replicas: 7 }] },
      7,
      "DesiredWithinRange",
    ],
    [
      "what was asked for before that is past",
      10,
      2,
      { recommendations: [{ at: ago(300), replicas: 7 }] },
      2,
      "DesiredWithinRange",
    ],
    [
      "no more than now for what was asked for once",
      4,
      2,
      { recommendations: [{ at: ago(9), replicas: 9 }] },
      4,
      "DesiredWithinRange",
    ],
    ["never fewer than the minimum", 10, 0, { min: 3 }, 3, "TooFewReplicas"],
    ["none where none may be", 3, 0, { min: 0 }, 0, "DesiredWithinRange"],
  ])("%s", (_name, current, recommended, given, replicas, reason) => {
    const { limited, ...pace } = paced(current, recommended, given);
    expect([pace.replicas, limited.reason]).toEqual([replicas, reason]);
    expect(limited.status).toBe(reason === "DesiredWithinRange" ? "False" : "True");
  });
});

describe("with a behaviour", () => {
  test.each<readonly [string, number, number, Given, number]>([
    [
      "the least of a window is asked for upwards",
      4,
      9,
      {
        ...up({ stabilizationWindowSeconds: 60 }),
        recommendations: [{ at: ago(59), replicas: 6 }],
      },
      6,
    ],
    [
      "a window that asked for fewer holds upwards",
      4,
      9,
      {
        ...up({ stabilizationWindowSeconds: 60 }),
        recommendations: [{ at: ago(59), replicas: 2 }],
      },
      4,
    ],
    [
      "Min takes the smaller step up",
      10,
      90,
      up({ selectPolicy: "Min", policies: [policy("Pods", 4, 60), policy("Percent", 100, 60)] }),
      14,
    ],
    [
      "Max takes the larger step up",
      10,
      90,
      up({ policies: [policy("Pods", 4, 60), policy("Percent", 100, 60)] }),
      20,
    ],
    ["Disabled: never up", 10, 90, up({ selectPolicy: "Disabled" }), 10],
    ["a percentage upwards is rounded up", 3, 90, up({ policies: [policy("Percent", 10, 60)] }), 4],
    ["Disabled: never down", 10, 1, down({ selectPolicy: "Disabled" }), 10],
    ["so many pods down", 10, 1, down({ policies: [policy("Pods", 2, 60)] }), 8],
    ["so large a share down", 10, 1, down({ policies: [policy("Percent", 25, 60)] }), 7],
    [
      "Min takes the smaller step down",
      10,
      1,
      down({ selectPolicy: "Min", policies: [policy("Pods", 5, 60), policy("Percent", 10, 60)] }),
      9,
    ],
    [
      "Max takes the larger step down",
      10,
      1,
      down({ policies: [policy("Pods", 5, 60), policy("Percent", 10, 60)] }),
      5,
    ],
    [
      "what went in the period counts",
      8,
      1,
      {
        ...down({ policies: [policy("Pods", 2, 60)] }),
        changes: [{ at: ago(59), from: 10, to: 8 }],
      },
      8,
    ],
    [
      "what went before it does not",
      8,
      1,
      {
        ...down({ policies: [policy("Pods", 2, 60)] }),
        changes: [{ at: ago(60), from: 10, to: 8 }],
      },
      6,
    ],
    [
      "what came in the period may go with the rest",
      12,
      1,
      {
        ...down({ policies: [policy("Pods", 2, 60)] }),
        changes: [{ at: ago(5), from: 10, to: 12 }],
      },
      8,
    ],
    [
      "a share down is of what there was when the period began",
      15,
      1,
      {
        ...down({ policies: [policy("Percent", 50, 60)] }),
        changes: [{ at: ago(5), from: 20, to: 15 }],
      },
      10,
    ],
  ])("%s", (_name, current, recommended, given, replicas) => {
    expect(paced(current, recommended, given).replicas).toBe(replicas);
  });

  test("why it is able is told", () => {
    const recommendations = [{ at: ago(1), replicas: 9 }];
    expect(paced(9, 2, { recommendations }).ableToScale.reason).toBe("ScaleDownStabilized");
    const slow = {
      ...up({ stabilizationWindowSeconds: 60 }),
      recommendations: [{ at: ago(1), replicas: 3 }],
    };
    expect(paced(3, 9, slow).ableToScale.reason).toBe("ScaleUpStabilized");
    expect(paced(3, 9).ableToScale.reason).toBe("ReadyForNewScale");
  });

  test("tolerances, windows and periods are the spec's, or Kubernetes' own", () => {
    const { spec } = anAutoscaler({
      behavior: {
        scaleUp: { tolerance: "50m", policies: [policy("Pods", 1, 90)] },
        scaleDown: { stabilizationWindowSeconds: 20 },
      },
    });
    expect(tolerancesOf(spec)).toEqual({ up: 0.05, down: 0.1 });
    expect([windowMsOf(spec), periodMsOf(spec)]).toEqual([20_000, 90_000]);
    expect(windowMsOf(anAutoscaler().spec)).toBe(300_000);
  });
});

describe("whatever was recommended and done", () => {
  const anyRules = fc.record(
    {
      selectPolicy: fc.constantFrom("Max" as const, "Min" as const, "Disabled" as const),
      stabilizationWindowSeconds: fc.nat(600),
      policies: fc.array(
        fc.record({
          type: fc.constantFrom("Pods" as const, "Percent" as const),
          value: fc.integer({ min: 1, max: 200 }),
          periodSeconds: fc.integer({ min: 1, max: 300 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  );
  const anyBehavior = fc.record({ scaleUp: anyRules, scaleDown: anyRules }, { requiredKeys: [] });
  const anyCount = fc.nat(60);
  const anyPast = fc.record({
    recommendations: fc.array(fc.record({ at: fc.nat(900).map(ago), replicas: anyCount }), {
      maxLength: 8,
    }),
    changes: fc.array(fc.record({ at: fc.nat(900).map(ago), from: anyCount, to: anyCount }), {
      maxLength: 8,
    }),
  });

  test("limits hold, the direction is that of the recommendation, and windows forbid what they forbid", () => {
    fc.assert(
      fc.property(
        anyBehavior,
        anyPast,
        anyCount,
        anyCount,
        fc.nat(5),
        (behavior, past, within, asked, min) => {
          const max = 50;
          const current = Math.min(Math.max(within, min), max);
          const { replicas } = paced(current, asked, { behavior, min, max, ...past });
          expect(replicas).toBeGreaterThanOrEqual(min);
          expect(replicas).toBeLessThanOrEqual(max);
          if (replicas > current) expect(asked).toBeGreaterThan(current);
          if (replicas < current) {
            expect(asked).toBeLessThan(current);
            const window = behavior.scaleDown?.stabilizationWindowSeconds ?? 300;
            const recent = past.recommendations.filter(({ at }) => at > ago(window));
            expect(replicas).toBeGreaterThanOrEqual(
              Math.min(Math.max(0, ...recent.map((one) => one.replicas)), current),
            );
          }
        },
      ),
    );
  });
});
