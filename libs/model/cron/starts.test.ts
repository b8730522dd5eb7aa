import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CalendarSchedule, parseSchedule } from "./schedule.ts";
import { countStarts, latestStart, nextStart } from "./starts.ts";
import { isTimeZone, offsetMsAt } from "./time-zone.ts";

const at = (text: string) => Date.parse(text);
const shown = (ms: number | undefined) =>
  ms === undefined ? undefined : new Date(ms).toISOString();
const next = (text: string, zone: string, after: string) =>
  shown(nextStart(parseSchedule(text), zone, at(after)));

/** The definition itself: does the zone's clock show, at this minute, what the schedule admits? */
function isStart(schedule: CalendarSchedule, zone: string, minute: number): boolean {
  const local = new Date(minute + offsetMsAt(zone, minute));
  const { daysOfMonth, daysOfWeek } = schedule;
  const ofMonth = daysOfMonth.values.has(local.getUTCDate());
  const ofWeek = daysOfWeek.values.has(local.getUTCDay());
  const either = !daysOfMonth.any && !daysOfWeek.any;
  return (
    schedule.minutes.values.has(local.getUTCMinutes()) &&
    schedule.hours.values.has(local.getUTCHours()) &&
    schedule.months.values.has(local.getUTCMonth() + 1) &&
    (either ? ofMonth || ofWeek : ofMonth && ofWeek)
  );
}

describe("the starts of a schedule", () => {
  test.each<[string, string, string, string, string]>([
    ["the next minute", "* * * * *", "UTC", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00.000Z"],
    ["not the same minute", "0 0 * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z"],
    [
      "in a zone",
      "30 9 * * 1-5",
      "Europe/Berlin",
      "2026-01-02T09:00:00Z",
      "2026-01-05T08:30:00.000Z",
    ],
    ["a leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["either day", "0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z"],
    [
      "a step is no star",
      "0 0 */31 * 5",
      "UTC",
      "2026-01-01T00:00:00Z",
      "2026-01-02T00:00:00.000Z",
    ],
    [
      "a skipped hour",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T02:00:00Z",
      "2026-03-30T00:30:00.000Z",
    ],
    [
      "a repeated hour",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T10:00:00Z",
      "2026-10-25T00:30:00.000Z",
    ],
    [
      "its repetition",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:30:00.000Z",
    ],
    [
      "half an hour of summer",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-02T20:00:00Z",
      "2026-10-04T15:15:00.000Z",
    ],
    [
      "a midnight that is skipped",
      "0 0 * * *",
      "Asia/Beirut",
      "2026-03-28T12:00:00Z",
      "2026-03-29T21:00:00.000Z",
    ],
  ])("%s", (_name, text, zone, after, expected) => {
    expect(next(text, zone, after)).toBe(expected);
  });

  test("never come on days that there are not", () => {
    expect(next("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z")).toBeUndefined();
  });

  test("of @every are counted from where it began", () => {
    const every = parseSchedule("@every 90m");
    const after = at("2026-01-01T00:00:10Z");
    expect(shown(nextStart(every, "UTC", after))).toBe("2026-01-01T01:30:10.000Z");
    const upTo = at("2026-01-01T05:00:00Z");
    expect(shown(latestStart(every, "UTC", { after, upTo }))).toBe("2026-01-01T04:30:10.000Z");
    expect(latestStart(every, "UTC", { after, upTo: after + 1_000 })).toBeUndefined();
  });

  test("are the minutes at which the zone's clocks show what the schedule admits", () => {
    const part = (max: number, min = 0) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min, max }).map(String),
        fc.integer({ min: 1, max: 20 }).map((step) => `*/${step}`),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      );
    const text = fc
      .tuple(part(59), part(23), part(31, 1), fc.constantFrom("*", "3", "3-4", "9-11"), part(6))
      .map((fields) => fields.join(" "));
    const changes = fc.constantFrom(
      ["Europe/Berlin", at("2026-03-29T01:00:00Z")] as const,
      ["Europe/Berlin", at("2026-10-25T01:00:00Z")] as const,
      ["America/New_York", at("2026-03-08T07:00:00Z")] as const,
      ["America/New_York", at("2026-11-01T06:00:00Z")] as const,
      ["Australia/Lord_Howe", at("2026-10-03T15:30:00Z")] as const,
      ["Australia/Lord_Howe", at("2026-04-04T15:00:00Z")] as const,
      ["Asia/Beirut", at("2026-03-28T22:00:00Z")] as const,
      ["UTC", at("2026-01-01T00:00:00Z")] as const,
    );
    fc.assert(
      fc.property(
        text,
        changes,
        fc.integer({ min: -1_900, max: 100 }),
        (written, [zone, change], minutesOff) => {
          const schedule = parseSchedule(written);
          if (schedule.kind !== "calendar") return;
          const after = change + minutesOff * 60_000;
          const upTo = after + 2_000 * 60_000;
          const expected: number[] = [];
          for (let minute = after + 60_000; minute <= upTo; minute += 60_000) {
            if (isStart(schedule, zone, minute)) expected.push(minute);
          }
          const found: number[] = [];
          for (
            let start = nextStart(schedule, zone, after);
            start !== undefined && start <= upTo;
          ) {
            found.push(start);
            start = nextStart(schedule, zone, start);
          }
          expect(found.map(shown)).toEqual(expected.map(shown));
          expect(shown(latestStart(schedule, zone, { after, upTo }))).toBe(shown(expected.at(-1)));
          const [early, late] = [upTo - 1_500 * 60_000, change + 3 * 60_000];
          for (const end of [early, late]) {
            const last = expected.filter((minute) => minute <= end).at(-1);
            expect(shown(latestStart(schedule, zone, { after, upTo: end }))).toBe(shown(last));
          }
          const most = 7;
          expect(countStarts(schedule, zone, { after, upTo, most })).toBe(
            Math.min(expected.length, most),
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("a time zone", () => {
  test.each(["Europe/Berlin", "Etc/UTC", "UTC", "America/Argentina/Buenos_Aires"])(
    "is %s",
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );
  test.each(["", "Local", "local", "+02:00", "Mars/Olympus", "Europe/Berlin "])(
    "is not %j",
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
