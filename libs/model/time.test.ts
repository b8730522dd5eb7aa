import { describe, expect, test } from "vitest";
import { ageOf, durationText, microTime, time, timeOf } from "./time.ts";

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];

describe("a duration", () => {
  test.each([
    [-5 * second, "<invalid>"],
    [-1, "0s"],
    [0, "0s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [2 * minute + 30 * second, "2m30s"],
    [10 * minute + 5 * second, "10m"],
    [3 * hour, "3h"],
    [3 * hour + 5 * minute, "3h5m"],
    [8 * hour + 5 * minute, "8h"],
    [47 * hour, "47h"],
    [2 * day + hour, "2d1h"],
    [9 * day + hour, "9d"],
    [800 * day, "2y70d"],
    [9 * 365 * day, "9y"],
  ])("of %i ms is written %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test("of an object without a beginning is unknown", () => {
    expect(ageOf(undefined, 0)).toBe("<unknown>");
    expect(ageOf("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:01:00Z"))).toBe("60s");
  });
});

describe("a time", () => {
  test.each([
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"],
    ["2026-01-31T12:00:00.987Z", "2026-01-31T12:00:00Z"],
    ["2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"],
  ])("%s is kept as %s", (text, expected) => {
    expect(time.parse(text)).toBe(expected);
  });

  test.each(["2026-01-31", "yesterday", "2026-13-01T00:00:00Z", ""])("is not %j", (text) => {
    expect(time.safeParse(text).success).toBe(false);
  });

  test("may be finer: to the microsecond", () => {
    expect(microTime.parse("2026-01-31T12:00:00.1234567Z")).toBe("2026-01-31T12:00:00.123456Z");
    expect(microTime.parse("2026-01-31T12:00:00Z")).toBe("2026-01-31T12:00:00.000000Z");
  });

  test("is written to the second", () => {
    expect(timeOf(1_999)).toBe("1970-01-01T00:00:01Z");
  });
});
