/** Rows and columns of `kubectl get`, as each kind defines them. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { jsonOf, metadataJsonOf } from "./json.ts";

/** What of its object a row carries: `?includeObject=`. */
export type IncludeObject = "None" | "Metadata" | "Object";

const heads = new WeakMap<Kind, string>();

/** The column definitions as JSON. */
export function tableHead(kind: Kind): string {
  const known = heads.get(kind);
  if (known !== undefined) return known;
  const definitions = kind.columns.map(
    ({ name, type, format = "", description = "", priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    }),
  );
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
  const cells = kind.columns.map((column) => column.read(object, now));
  const shown = includeObject === "None" ? "" : `,"object":${include(object, includeObject)}`;
  return `{"cells":${JSON.stringify(cells)}${shown}}`;
}

const include = (object: AnyObject, what: "Metadata" | "Object") =>
  what === "Object" ? jsonOf(object) : metadataJsonOf(object);
