/** Rows and columns of `kubectl get`, as each kind defines them. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { jsonOf, metadataJsonOf } from "./json.ts";

/** What of its object a row carries: `?includeObject=`. */
export type IncludeObject = "None" | "Metadata" | "Object";

type Column = {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, more with `-o wide` only. */
  readonly priority: number;
  readonly read: (object: AnyObject, now: EpochMs) => unknown;
};

const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  priority: 0,
  read: ({ metadata }) => metadata.name,
};
const ageColumn: Column = {
  name: "Age",
  type: "string",
  format: "",
  description: "Time since the object was created.",
  priority: 0,
  read: ({ metadata }, now) => age(metadata.creationTimestamp, now),
};

const columns = new WeakMap<Kind, readonly Column[]>();
const heads = new WeakMap<Kind, string>();

/** The kind's columns; name and age are every kind's. */
export function columnsOf(kind: Kind): readonly Column[] {
  const known = columns.get(kind);
  if (known !== undefined) return known;
  const own = kind.columns.map(
    (column): Column => ({
      name: column.name,
      type: column.type,
      format: "",
      description: "",
      priority: column.priority ?? 0,
      // A kind's columns read objects of that kind, which these are.
      read: column.read as unknown as Column["read"],
    }),
  );
  const named = own.some(({ name }) => name === "Name") ? own : [nameColumn, ...own];
  const made = named.some(({ name }) => name === "Age") ? named : withAge(named);
  columns.set(kind, made);
  return made;
}

/** Age follows the columns that are always shown. */
function withAge(own: readonly Column[]): readonly Column[] {
  const always = own.filter(({ priority }) => priority === 0);
  return [...always, ageColumn, ...own.filter(({ priority }) => priority > 0)];
}

/** The column definitions as JSON. */
export function tableHead(kind: Kind): string {
  const known = heads.get(kind);
  if (known !== undefined) return known;
  const definitions = columnsOf(kind).map(({ read: _read, ...definition }) => definition);
  const text = JSON.stringify(definitions);
  heads.set(kind, text);
  return text;
}

/** One row as JSON. */
export function rowOf(
  kind: Kind,
  object: AnyObject,
  { includeObject, now }: { readonly includeObject: IncludeObject; readonly now: EpochMs },
): string {
  const cells = columnsOf(kind).map(({ read }) => read(object, now) ?? null);
  const shown = includeObject === "None" ? "" : `,"object":${include(object, includeObject)}`;
  return `{"cells":${JSON.stringify(cells)}${shown}}`;
}

const include = (object: AnyObject, what: "Metadata" | "Object") =>
  what === "Object" ? jsonOf(object) : metadataJsonOf(object);

/**
 * How long ago, as kubectl prints it: `45s`, `3m20s`, `15m`, `5h2m`, `26h`, `3d4h`, `40d`, `2y3d`.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/duration/duration.go
 */
export function age(since: string | undefined, now: EpochMs): string {
  if (since === undefined) return "<unknown>";
  const seconds = Math.floor((now - Date.parse(since)) / 1_000);
  if (seconds < -1) return "<invalid>";
  if (seconds <= 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? pair(years, "y", days % 365, "d") : `${years}y`;
}

const pair = (large: number, unit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`;
