/**
 * When a schedule starts something. A local time that daylight saving skips is no start; one that it
 * repeats is two: every minute at which the zone's clocks show what the schedule admits is a start,
 * and nothing else is.
 */
import type { EpochMs } from "../time.ts";
import type { CalendarSchedule, Schedule } from "./schedule.ts";
import { offsetMsAt } from "./time-zone.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** No zone changes its offset and changes it back within so long. */
const stretchMs = 10 * dayMs;
/** February 29 comes after eight years at the latest. */
const horizonMs = 9 * 366 * dayMs;

/** The first start after `after`; undefined when there is none, as on February 30. */
export function nextStart(schedule: Schedule, zone: string, after: EpochMs): EpochMs | undefined {
  if (schedule.kind === "every") return Math.floor(after / 1_000) * 1_000 + schedule.everyMs;
  let from = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  const until = from + horizonMs;
  while (from < until) {
    const offset = offsetMsAt(zone, from);
    const next = changeWithin(zone, from, from + stretchMs, offset);
    const found = firstIn(schedule, from + offset, next - minuteMs + offset);
    if (found !== undefined) return found - offset;
    from = next;
  }
  return undefined;
}

/** The last start that is after `after` and not after `upTo`. */
export function latestStart(
  schedule: Schedule,
  zone: string,
  { after, upTo }: { readonly after: EpochMs; readonly upTo: EpochMs },
): EpochMs | undefined {
  if (schedule.kind === "every") {
    const begin = Math.floor(after / 1_000) * 1_000;
    const count = Math.floor((upTo - begin) / schedule.everyMs);
    return count < 1 ? undefined : begin + count * schedule.everyMs;
  }
  let to = Math.floor(upTo / minuteMs) * minuteMs;
  const earliest = Math.max(Math.floor(after / minuteMs) * minuteMs + minuteMs, upTo - horizonMs);
  while (to >= earliest) {
    const offset = offsetMsAt(zone, to);
    const begin = Math.max(to - stretchMs, earliest);
    const was = offsetMsAt(zone, begin);
    const from = was === offset ? begin : changeWithin(zone, begin, to, was);
    const found = lastIn(schedule, from + offset, to + offset);
    if (found !== undefined) return found - offset;
    to = from - minuteMs;
  }
  return undefined;
}

/** How many starts there are after `after` and not after `upTo`, counted up to `most`. */
export function countStarts(
  schedule: Schedule,
  zone: string,
  { after, upTo, most }: { readonly after: EpochMs; readonly upTo: EpochMs; readonly most: number },
): number {
  let count = 0;
  let at = nextStart(schedule, zone, after);
  while (at !== undefined && at <= upTo && count < most) {
    count += 1;
    at = nextStart(schedule, zone, at);
  }
  return count;
}

/** The minute from which the zone's offset is another; `to` when it stays. */
function changeWithin(zone: string, from: EpochMs, to: EpochMs, offset: number): EpochMs {
  if (offsetMsAt(zone, to) === offset) return to;
  let [same, changed] = [from, to];
  while (changed - same > minuteMs) {
    const middle = Math.floor((same + changed) / 2 / minuteMs) * minuteMs;
    if (offsetMsAt(zone, middle) === offset) same = middle;
    else changed = middle;
  }
  return changed;
}

/** Local times are written as if they were UTC; the first of the schedule's in [from, to]. */
function firstIn(schedule: CalendarSchedule, from: number, to: number): number | undefined {
  for (let day = startOfDay(from); day <= to; day += dayMs) {
    if (!isDay(schedule, day)) continue;
    const found = minutesOf(schedule).find((at) => day + at >= from);
    if (found !== undefined && day + found <= to) return day + found;
  }
  return undefined;
}

function lastIn(schedule: CalendarSchedule, from: number, to: number): number | undefined {
  for (let day = startOfDay(to); day + dayMs > from; day -= dayMs) {
    if (!isDay(schedule, day)) continue;
    const found = minutesOf(schedule).findLast((at) => day + at <= to);
    if (found !== undefined && day + found >= from) return day + found;
  }
  return undefined;
}

const startOfDay = (at: number) => Math.floor(at / dayMs) * dayMs;

/** When both days are given, one of them suffices. */
function isDay({ months, daysOfMonth, daysOfWeek }: CalendarSchedule, day: number): boolean {
  const date = new Date(day);
  if (!months.values.has(date.getUTCMonth() + 1)) return false;
  const ofMonth = daysOfMonth.values.has(date.getUTCDate());
  const ofWeek = daysOfWeek.values.has(date.getUTCDay());
  return daysOfMonth.any || daysOfWeek.any ? ofMonth && ofWeek : ofMonth || ofWeek;
}

const minutesKnown = new WeakMap<CalendarSchedule, readonly number[]>();

/** A day's starts as ms from its beginning, rising. */
function minutesOf(schedule: CalendarSchedule): readonly number[] {
  const known = minutesKnown.get(schedule);
  if (known !== undefined) return known;
  const rising = (values: ReadonlySet<number>) => [...values].toSorted((a, b) => a - b);
  const minutes = rising(schedule.minutes.values);
  const all = rising(schedule.hours.values).flatMap((hour) =>
    minutes.map((minute) => (hour * 60 + minute) * minuteMs),
  );
  minutesKnown.set(schedule, all);
  return all;
}
