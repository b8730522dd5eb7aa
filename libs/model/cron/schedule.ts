/**
 * A CronJob's schedule, as Kubernetes reads it: five fields, a macro such as `@daily`, or
 * `@every 1h30m`. (Not a library: those that there are take what Kubernetes refuses, refuse what it
 * takes, and decide otherwise about the hours that daylight saving skips or repeats.)
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */

/** Values that a field admits. `any`: written as a star, so that the other day field decides alone. */
type Field = { readonly values: ReadonlySet<number>; readonly any: boolean };
export type CalendarSchedule = {
  readonly kind: "calendar";
  readonly minutes: Field;
  readonly hours: Field;
  readonly daysOfMonth: Field;
  readonly months: Field;
  /** 0 is Sunday. */
  readonly daysOfWeek: Field;
};
export type Schedule = CalendarSchedule | { readonly kind: "every"; readonly everyMs: number };

/** What is wrong with a schedule's text. */
export class ScheduleFault extends Error {
  override readonly name = "ScheduleFault";
}

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

type Bounds = { readonly min: number; readonly max: number; readonly names?: readonly string[] };
const monthNames = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const dayNames = "sun mon tue wed thu fri sat".split(" ");
const bounds = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: monthNames },
  { min: 0, max: 6, names: dayNames },
] as const satisfies readonly Bounds[];

/** @throws {ScheduleFault} */
export function parseSchedule(text: string): Schedule {
  const every = /^@every (.+)$/.exec(text.trim());
  if (every !== null) return { kind: "every", everyMs: everyMsOf(every[1] ?? "") };
  const written = macros[text.trim()] ?? text;
  if (written.startsWith("@")) throw new ScheduleFault(`unrecognized descriptor: ${written}`);
  const fields = written.trim().split(/\s+/);
  if (fields.length !== bounds.length) {
    throw new ScheduleFault(
      `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`,
    );
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = bounds.map((each, nth) =>
    parseField(fields[nth] ?? "", each),
  ) as [Field, Field, Field, Field, Field]; // One for each of the five bounds.
  return { kind: "calendar", minutes, hours, daysOfMonth, months, daysOfWeek };
}

function parseField(text: string, limits: Bounds): Field {
  const parts = text.split(",").map((part) => parsePart(part, limits));
  return {
    values: new Set(parts.flatMap(({ values }) => values)),
    any: parts.some(({ any }) => any),
  };
}

/** `*`, `?`, `3`, `1-5`, `mon-fri`, each perhaps with `/2`; `3/2` goes on to the end. */
function parsePart(
  part: string,
  limits: Bounds,
): { readonly values: readonly number[]; readonly any: boolean } {
  const [range = "", stepText, ...moreSteps] = part.split("/");
  const [from = "", to, ...moreDashes] = range.split("-");
  if (moreSteps.length > 0) throw new ScheduleFault(`too many slashes: ${part}`);
  if (moreDashes.length > 0) throw new ScheduleFault(`too many hyphens: ${part}`);
  const step = stepText === undefined ? 1 : numberOf(stepText, {});
  const star = from === "*" || from === "?";
  if (star && to !== undefined) throw new ScheduleFault(`a star begins no range: ${part}`);
  const start = star ? limits.min : numberOf(from, limits);
  const single = to === undefined ? start : numberOf(to, limits);
  const end = star || (to === undefined && stepText !== undefined) ? limits.max : single;
  if (start < limits.min)
    throw new ScheduleFault(`${start} is below minimum (${limits.min}): ${part}`);
  if (end > limits.max) throw new ScheduleFault(`${end} is above maximum (${limits.max}): ${part}`);
  if (start > end)
    throw new ScheduleFault(`beginning of range (${start}) is beyond its end (${end}): ${part}`);
  if (step === 0) throw new ScheduleFault(`step of range should be a positive number: ${part}`);
  const values = Array.from(
    { length: Math.floor((end - start) / step) + 1 },
    (_, nth) => start + nth * step,
  );
  return { values, any: star && step === 1 };
}

function numberOf(text: string, { names = [] }: { readonly names?: readonly string[] }): number {
  const named = names.indexOf(text.toLowerCase());
  // Months are counted from 1, days of the week from 0.
  if (named >= 0) return names === monthNames ? named + 1 : named;
  if (!/^\d{1,4}$/.test(text)) throw new ScheduleFault(`failed to parse ${JSON.stringify(text)}`);
  return Number(text);
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it, whole seconds, at least one. */
function everyMsOf(text: string): number {
  if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(text)) {
    throw new ScheduleFault(`failed to parse duration ${JSON.stringify(text)}`);
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  const ms = [...parts].reduce((sum, [, n, unit = ""]) => sum + Number(n) * (unitMs[unit] ?? 0), 0);
  return Math.max(Math.floor(ms / 1_000), 1) * 1_000;
}
