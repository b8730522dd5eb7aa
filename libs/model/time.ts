import * as z from "zod";

/** Milliseconds since the Unix epoch. */
export type EpochMs = number;

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const seconds = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

export const isTime = (text: string): boolean =>
  rfc3339.test(text) && !Number.isNaN(Date.parse(text));
export const timeFault = "must be a time in RFC 3339, such as 2026-01-31T12:00:00Z";

/** metav1.Time: a point in time to the second, UTC. */
export const time = z
  .string()
  .refine(isTime, { error: timeFault, abort: true })
  .overwrite((text) => (seconds.test(text) ? text : timeOf(Date.parse(text))))
  .meta({ format: "date-time" });

/** metav1.MicroTime: a point in time to the microsecond, UTC. */
export const microTime = z
  .string()
  .refine(isTime, { error: timeFault, abort: true })
  .overwrite((text) => {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
    return `${timeOf(Date.parse(text)).slice(0, 19)}.${fraction.padEnd(6, "0").slice(0, 6)}Z`;
  })
  .meta({ format: "micro-time" });

/** As metav1.Time writes it. */
export const timeOf = (at: EpochMs): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** What `kubectl get` shows as AGE of something that began at `since`. */
export function ageOf(since: string | undefined, now: EpochMs): string {
  return since === undefined || since === "" ? "<unknown>" : durationText(now - Date.parse(since));
}

const second = 1_000;
const [minute, hour, day, year] = [
  60 * second,
  3_600 * second,
  86_400 * second,
  365 * 86_400 * second,
];

/**
 * A duration in the two units that matter, as kubectl writes it: `59s`, `2m30s`, `15m`, `3h5m`, `4d`,
 * `2y40d`. A little in the future is `0s`.
 */
export function durationText(ms: number): string {
  if (ms < -second) return "<invalid>";
  if (ms < 0) return "0s";
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`;
  if (ms < 10 * minute) return inUnits(ms, [minute, "m"], [second, "s"]);
  if (ms < 3 * hour) return `${Math.floor(ms / minute)}m`;
  if (ms < 8 * hour) return inUnits(ms, [hour, "h"], [minute, "m"]);
  if (ms < 2 * day) return `${Math.floor(ms / hour)}h`;
  if (ms < 8 * day) return inUnits(ms, [day, "d"], [hour, "h"]);
  if (ms < 2 * year) return `${Math.floor(ms / day)}d`;
  if (ms < 8 * year) return inUnits(ms, [year, "y"], [day, "d"]);
  return `${Math.floor(ms / year)}y`;
}

type Unit = readonly [sizeMs: number, name: string];

function inUnits(ms: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeName}${rest === 0 ? "" : `${rest}${smallName}`}`;
}
