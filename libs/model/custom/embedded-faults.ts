/** Objects within a custom resource (`x-kubernetes-embedded-resource`): they say what they are. */
import type { Path } from "../conform.ts";
import { type Cause, fieldOf } from "../errors.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isRecord, own } from "./record.ts";
import { memberSchema } from "./validate.ts";

export function embeddedFaults(
  schema: JsonSchema,
  value: unknown,
  path: Path = [],
): readonly Cause[] {
  if (!holdsEmbedded(schema)) return [];
  const { items } = schema;
  if (Array.isArray(value)) {
    if (items === undefined || Array.isArray(items)) return [];
    return value.flatMap((item, at) => embeddedFaults(items, item, [...path, at]));
  }
  if (!isRecord(value)) return [];
  const missing =
    path.length > 0 && schema["x-kubernetes-embedded-resource"] === true
      ? ["apiVersion", "kind"].filter((name) => (own(value, name) ?? "") === "")
      : [];
  return [
    ...missing.map((name) => ({
      reason: "FieldValueRequired",
      field: fieldOf([...path, name]),
      message: "Required value: must not be empty",
    })),
    ...Object.entries(value).flatMap(([name, member]) => {
      const inner = memberSchema(schema, name);
      return inner === undefined ? [] : embeddedFaults(inner, member, [...path, name]);
    }),
  ];
}

const known = new WeakMap<JsonSchema, boolean>();

function holdsEmbedded(schema: JsonSchema): boolean {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const { properties = {}, items, additionalProperties } = schema;
  const parts = [
    ...Object.values(properties),
    ...(items === undefined || Array.isArray(items) ? [] : [items]),
    ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
  ];
  const holds = schema["x-kubernetes-embedded-resource"] === true || parts.some(holdsEmbedded);
  known.set(schema, holds);
  return holds;
}
