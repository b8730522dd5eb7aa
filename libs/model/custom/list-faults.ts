/** Lists that are sets or maps: each item once; and which item of before an item is. */
import type { Path } from "../conform.ts";
import { type Cause, fieldOf } from "../errors.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isRecord, own } from "./record.ts";

export function listFaults(
  schema: JsonSchema,
  list: readonly unknown[],
  path: Path,
): readonly Cause[] {
  const keyOf = identity(schema);
  if (keyOf === undefined) return [];
  const seen = new Set<string>();
  const faults: Cause[] = [];
  for (const [at, item] of list.entries()) {
    const key = keyOf(item);
    if (key === undefined) continue;
    if (seen.has(key)) {
      const field = fieldOf([...path, at]);
      faults.push({ reason: "FieldValueDuplicate", field, message: `Duplicate value: ${key}` });
    }
    seen.add(key);
  }
  return faults;
}

/** The item of before that an item is: of a map by its keys; of other lists nobody can say. */
export function oldItems(
  schema: JsonSchema,
  old: unknown,
): (item: unknown) => { readonly value: unknown } | undefined {
  const keyOf = schema["x-kubernetes-list-type"] === "map" ? identity(schema) : undefined;
  if (keyOf === undefined || !Array.isArray(old)) return () => undefined;
  const byKey = new Map<string, { readonly value: unknown }>();
  for (const value of old as readonly unknown[]) {
    const key = keyOf(value);
    if (key !== undefined) byKey.set(key, { value });
  }
  return (item) => byKey.get(keyOf(item) ?? "");
}

/** What tells the items of a set or a map apart, as JSON; undefined for other lists. */
function identity(schema: JsonSchema): ((item: unknown) => string | undefined) | undefined {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return (item) => JSON.stringify(sorted(item));
  if (type !== "map") return undefined;
  const keys = (schema["x-kubernetes-list-map-keys"] ?? []).toSorted();
  return (item) =>
    isRecord(item)
      ? JSON.stringify(Object.fromEntries(keys.map((key) => [key, own(item, key)])))
      : undefined;
}

/** With keys in one order, so that equal objects have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}
