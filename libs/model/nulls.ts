import type * as z from "zod";
import { type Shape, shapeOf } from "./shape.ts";

/**
 * `value` without the members that are `null`: Kubernetes reads those as absent, and clients write
 * them (`creationTimestamp: null`). What holds none is returned as it is; nothing is changed in place.
 *
 * @param schema what the value is to be; where it takes any JSON, a `null` is a value
 */
export function withoutNulls(value: unknown, schema?: z.core.$ZodType): unknown {
  if (!holdsNull(value)) return value;
  return stripped(value, schema === undefined ? undefined : shapeOf(schema));
}

function holdsNull(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsNull);
  const members = value as Readonly<Record<string, unknown>>; // An object is one.
  for (const key in members) if (members[key] === null || holdsNull(members[key])) return true;
  return false;
}

function stripped(value: unknown, shape: Shape | undefined): unknown {
  if (typeof value !== "object" || value === null || shape?.meta.format === "json") return value;
  if (Array.isArray(value)) {
    const items = itemsOf(shape);
    return value.map((item) => stripped(item, items));
  }
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  const memberOf = membersOf(shape);
  return Object.fromEntries(
    kept.map(([key, member]) => [key, stripped(member, memberOf(key))] as const),
  );
}

function itemsOf(shape: Shape | undefined): Shape | undefined {
  const list = shape?.type === "either" ? shape.options.find(isList) : shape;
  return list?.type === "list" ? list.items : undefined;
}

function membersOf(shape: Shape | undefined): (name: string) => Shape | undefined {
  const holder = shape?.type === "either" ? shape.options.find(isHolder) : shape;
  if (holder?.type === "map") return () => holder.values;
  if (holder?.type !== "object") return () => undefined;
  return (name) => holder.fields.find((field) => field.name === name)?.shape;
}

const isList = ({ type }: Shape) => type === "list";
const isHolder = ({ type }: Shape) => type === "object" || type === "map";
