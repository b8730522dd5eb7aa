import type { EpochMs } from "../time.ts";

/** Bounds what is remembered; there are about 600 zones, and names are matched in any case. */
const knownMax = 2_000;
const known = new Map<string, Intl.DateTimeFormat>();

/** Whether an IANA time zone has that name. */
export function isTimeZone(name: string): boolean {
  // `Local` would be the machine's own, and an offset such as +02:00 has no name.
  if (!/^[A-Za-z][A-Za-z0-9/_+-]*$/.test(name) || name.toLowerCase() === "local") return false;
  try {
    formatOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * What a zone's clocks show less UTC, at an instant, in ms.
 *
 * @throws {RangeError} when there is no such zone
 */
export function offsetMsAt(zone: string, at: EpochMs): number {
  if (zone === "UTC") return 0;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const field = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
  const shown = Date.UTC(
    field("year"),
    field("month") - 1,
    field("day"),
    field("hour"),
    field("minute"),
    field("second"),
  );
  return shown - Math.floor(at / 1_000) * 1_000;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const found = known.get(zone);
  if (found !== undefined) return found;
  const numeric = { year: "numeric", month: "numeric", day: "numeric" } as const;
  const clock = { hour: "numeric", minute: "numeric", second: "numeric" } as const;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    hourCycle: "h23",
    ...numeric,
    ...clock,
  });
  if (known.size >= knownMax) known.clear();
  known.set(zone, format);
  return format;
}
