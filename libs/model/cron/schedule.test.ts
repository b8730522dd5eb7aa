import { describe, expect, test } from "vitest";
import { parseSchedule, ScheduleFault } from "./schedule.ts";

const minutes = (text: string) => {
  const schedule = parseSchedule(`${text} * * * *`);
  return schedule.kind === "calendar" ? [...schedule.minutes.values] : [];
};

describe("a schedule", () => {
  test.each<[string, readonly number[]]>([
    ["5", [5]],
    ["1,3", [1, 3]],
    ["1-4", [1, 2, 3, 4]],
    ["0-10/5", [0, 5, 10]],
    ["50/4", [50, 54, 58]],
    ["*/20", [0, 20, 40]],
    ["?/30", [0, 30]],
  ])("reads the minutes %s", (text, values) => {
    expect(minutes(text)).toEqual(values);
  });

  test("reads names of months and days in any case", () => {
    const schedule = parseSchedule("0 0 * JAN-mar Mon,sun");
    if (schedule.kind !== "calendar") throw new Error("it has five fields");
    expect([...schedule.months.values]).toEqual([1, 2, 3]);
    expect([...schedule.daysOfWeek.values]).toEqual([1, 0]);
  });

  test.each([
    ["@hourly", "0 * * * *"],
    ["@midnight", "0 0 * * *"],
    ["@weekly", "0 0 * * 0"],
    ["@annually", "0 0 1 1 *"],
  ])("reads %s as %s", (macro, fields) => {
    expect(parseSchedule(macro)).toEqual(parseSchedule(fields));
  });

  test.each([
    ["@every 1h30m", 5_400_000],
    ["@every 90s", 90_000],
    ["@every 10ms", 1_000],
    ["@every 1.5m", 90_000],
  ])("reads %s", (text, everyMs) => {
    expect(parseSchedule(text)).toEqual({ kind: "every", everyMs });
  });

  test.each([
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 7",
    "5-1 * * * *",
    "*/0 * * * *",
    "1-2-3 * * * *",
    "1/2/3 * * * *",
    "*-5 * * * *",
    "L * * * *",
    "* * L * *",
    "@fortnightly",
    "@every",
    "@every soon",
    "@every -1h",
    "TZ=UTC * * * * *",
  ])("refuses %j", (text) => {
    expect(() => parseSchedule(text)).toThrow(ScheduleFault);
  });
});
