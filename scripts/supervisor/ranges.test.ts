import { describe, expect, test } from "vitest";
import { overlap, rangesOf, RangesRefused } from "./ranges.ts";

test.each([
  ["10.0.0.0/16", "10.0.0.0/16", true],
  ["10.0.0.0/8", "10.9.8.0/24", true],
  ["10.9.8.0/24", "10.0.0.0/8", true],
  ["10.0.0.0/16", "10.1.0.0/16", false],
  ["10.0.0.0/9", "10.128.0.0/9", false],
  ["0.0.0.0/0", "192.168.1.1/32", true],
])("%s and %s: overlap is %s", (one, other, expected) => {
  expect(overlap(one, other)).toBe(expected);
});

describe("a cluster's ranges", () => {
  const recorded = { podCIDR: "10.1.0.0/16", serviceCIDR: "10.2.0.0/16" };

  test("are those it was made with, those named, or the defaults", () => {
    expect(rangesOf(recorded, {})).toEqual(recorded);
    expect(rangesOf(recorded, recorded)).toEqual(recorded);
    expect(rangesOf({}, recorded)).toEqual(recorded);
    expect(rangesOf({}, { podCIDR: "10.1.0.0/16" })).toEqual({
      podCIDR: "10.1.0.0/16",
      serviceCIDR: "10.96.0.0/16",
    });
  });

  test("cannot be changed later", () => {
    const change = () => rangesOf(recorded, { serviceCIDR: "10.3.0.0/16" });
    expect(change).toThrow(RangesRefused);
    expect(change).toThrow(/--service-cidr 10\.2\.0\.0\/16/);
  });

  test("have room for every node, or are refused", () => {
    expect(rangesOf({}, {}, 200).podCIDR).toBe("10.244.0.0/16");
    expect(rangesOf({}, {}, 5_000).podCIDR).toBe("100.64.0.0/10");
    expect(rangesOf(recorded, {}, 256)).toEqual(recorded);
    const tooMany = () => rangesOf(recorded, {}, 257);
    expect(tooMany).toThrow(RangesRefused);
    expect(tooMany).toThrow(/10\.1\.0\.0\/16, are enough for 256 nodes and not for 257/);
  });

  test("may not overlap", () => {
    expect(() => rangesOf({}, { podCIDR: "10.96.7.0/24" })).toThrow(/overlap/);
  });
});
