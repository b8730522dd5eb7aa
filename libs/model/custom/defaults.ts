/** A custom resource with the defaults of its schema; a `null` that a field may not hold is no value. */
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isRecord, type JsonRecord } from "./record.ts";
import { memberSchema } from "./validate.ts";

/** What needs nothing is returned as it is: objects are shared, and remembered by their identity. */
export function withDefaults(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined || Array.isArray(items)) return value;
    const after = value.map((item: unknown) => withDefaults(items, item));
    return after.every((item, at) => item === value[at]) ? value : after;
  }
  return isRecord(value) ? withMembers(schema, value) : value;
}

function withMembers(schema: JsonSchema, value: JsonRecord): JsonRecord {
  const changed = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const inner = memberSchema(schema, name);
    if (inner === undefined) continue;
    if (member === null && inner.nullable !== true) changed.set(name, undefined);
    else {
      const filled = withDefaults(inner, member);
      if (filled !== member) changed.set(name, filled);
    }
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (inner.default === undefined) continue;
    const there =
      Object.hasOwn(value, name) && value[name] !== undefined && !isDropped(changed, name);
    if (!there) changed.set(name, withDefaults(inner, structuredClone(inner.default)));
  }
  if (changed.size === 0) return value;
  const entries = new Map([...Object.entries(value), ...changed]);
  return Object.fromEntries([...entries].filter(([, member]) => member !== undefined));
}

const isDropped = (changed: ReadonlyMap<string, unknown>, name: string) =>
  changed.has(name) && changed.get(name) === undefined;
