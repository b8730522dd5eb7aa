import { describe, expect, test } from "vitest";
import { hollowCapacity, hollowEnvironment, hollowFrom, hollowNodes } from "./options.ts";

describe("what programs hollow nodes", () => {
  test("reaches their process through its environment", () => {
    const options = hollowFrom({
      BERTH_HOLLOW: "12",
      BERTH_HOLLOW_ZONES: "3",
      BERTH_HOLLOW_LABELS: "team=a,example.com/disk=ssd",
      BERTH_HOLLOW_CPU: "0.5",
      BERTH_HOLLOW_MEMORY: "1024Mi",
      BERTH_HOLLOW_PODS: "30",
      BERTH_HOLLOW_START_MS: "100",
      BERTH_HOLLOW_FAIL_PERCENT: "2.5",
    });
    expect(hollowFrom(hollowEnvironment(options))).toEqual(options);
    expect(hollowCapacity(options)).toEqual({ cpu: "500m", memory: "1Gi", pods: "30" });
  });

  test("is not needed: there are none, and one has the size of a small machine", () => {
    const options = hollowFrom({ BERTH_HOLLOW: "", PATH: "/bin" });
    expect(hollowNodes("hollow", options)).toEqual([]);
    expect(hollowCapacity(options)).toEqual({ cpu: "4", memory: "8Gi", pods: "110" });
  });

  test.each([
    ["BERTH_HOLLOW", "many"],
    ["BERTH_HOLLOW", "5001"],
    ["BERTH_HOLLOW_ZONES", "0"],
    ["BERTH_HOLLOW_LABELS", "team"],
    ["BERTH_HOLLOW_LABELS", "team=a=b"],
    ["BERTH_HOLLOW_LABELS", "te am=a"],
    ["BERTH_HOLLOW_LABELS", "team=a b"],
    ["BERTH_HOLLOW_CPU", "four"],
    ["BERTH_HOLLOW_MEMORY", "-1Gi"],
    ["BERTH_HOLLOW_MEMORY", "0"],
    ["BERTH_HOLLOW_PODS", "251"],
    ["BERTH_HOLLOW_START_MS", "-1"],
    ["BERTH_HOLLOW_FAIL_PERCENT", "101"],
  ])("is refused by name: %s=%s", (name, value) => {
    expect(() => hollowFrom({ [name]: value })).toThrow(new RegExp(`^${name}: `));
  });
});

test("hollow nodes take turns in the zones, and have the labels", () => {
  const options = hollowFrom({
    BERTH_HOLLOW: "20",
    BERTH_HOLLOW_ZONES: "3",
    BERTH_HOLLOW_LABELS: "team=a",
  });
  const nodes = hollowNodes("hollow", options);
  expect(nodes.map(({ name }) => name)).toEqual(
    Array.from({ length: 20 }, (_, nth) => `hollow-${nth + 1}`),
  );
  const zones = Map.groupBy(nodes, ({ labels }) => labels["topology.kubernetes.io/zone"]);
  expect([...zones].map(([zone, all]) => [zone, all.length])).toEqual([
    ["zone-1", 7],
    ["zone-2", 7],
    ["zone-3", 6],
  ]);
  expect(nodes.every(({ labels }) => labels["team"] === "a")).toBe(true);
});
