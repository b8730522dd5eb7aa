/** What `x-kubernetes-…` extensions ask of the schema that carries them. */
import type { JsonSchema } from "../extensions/json-schema.ts";
import { own, shown } from "./record.ts";
import type { Add } from "./schema-faults.ts";

export function extensionFaults(schema: JsonSchema, field: string, add: Add): void {
  preserving(schema, field, add);
  embedding(schema, field, add);
  merging(schema, field, add);
  keyed(schema, field, add);
}

function preserving(schema: JsonSchema, field: string, add: Add): void {
  const mixed = schema["x-kubernetes-int-or-string"] === true;
  const at = `${field}.x-kubernetes-preserve-unknown-fields`;
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    add("FieldValueInvalid", at, "Invalid value: false: must be true or undefined");
  if (mixed && schema["x-kubernetes-preserve-unknown-fields"] === true)
    add(
      "FieldValueInvalid",
      at,
      "Invalid value: true: must be false if x-kubernetes-int-or-string is true",
    );
  if (mixed && schema["x-kubernetes-embedded-resource"] === true)
    add(
      "FieldValueInvalid",
      `${field}.x-kubernetes-embedded-resource`,
      "Invalid value: true: must be false if x-kubernetes-int-or-string is true",
    );
}

function embedding(schema: JsonSchema, field: string, add: Add): void {
  if (schema["x-kubernetes-embedded-resource"] !== true) return;
  const why = "must be object if x-kubernetes-embedded-resource is true";
  if ((schema.type ?? "") === "")
    add("FieldValueRequired", `${field}.type`, `Required value: ${why}`);
  else if (schema.type !== "object")
    add("FieldValueInvalid", `${field}.type`, `Invalid value: ${shown(schema.type)}: ${why}`);
  if (schema.additionalProperties !== undefined)
    add(
      "FieldValueForbidden",
      `${field}.additionalProperties`,
      "Forbidden: must not be used if x-kubernetes-embedded-resource is set",
    );
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (!preserves && Object.keys(schema.properties ?? {}).length === 0)
    add(
      "FieldValueRequired",
      `${field}.properties`,
      "Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
    );
}

function merging(schema: JsonSchema, field: string, add: Add): void {
  const [list, map] = [schema["x-kubernetes-list-type"], schema["x-kubernetes-map-type"]];
  if (map !== undefined) {
    needsType(
      schema,
      "object",
      { field, why: "must be object if x-kubernetes-map-type is specified" },
      add,
    );
    if (map !== "atomic" && map !== "granular")
      add(
        "FieldValueNotSupported",
        `${field}.x-kubernetes-map-type`,
        `Unsupported value: ${shown(map)}: supported values: "atomic", "granular"`,
      );
  }
  if (list === undefined) return;
  needsType(
    schema,
    "array",
    { field, why: "must be array if x-kubernetes-list-type is specified" },
    add,
  );
  if (!["atomic", "set", "map"].includes(list))
    add(
      "FieldValueNotSupported",
      `${field}.x-kubernetes-list-type`,
      `Unsupported value: ${shown(list)}: supported values: "atomic", "set", "map"`,
    );
  const { items } = schema;
  if (list === "atomic" || items === undefined || Array.isArray(items)) return;
  if (items.nullable === true)
    add(
      "FieldValueForbidden",
      `${field}.items.nullable`,
      `Forbidden: cannot be nullable when x-kubernetes-list-type is ${list}`,
    );
  if (list !== "set") return;
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const inner = items["x-kubernetes-list-type"];
  if (items.type === "array" && inner !== undefined && inner !== "atomic")
    add(
      "FieldValueInvalid",
      `${field}.items.x-kubernetes-list-type`,
      `Invalid value: ${shown(inner)}: ${why}`,
    );
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    add(
      "FieldValueInvalid",
      `${field}.items.x-kubernetes-map-type`,
      `Invalid value: ${shown(items["x-kubernetes-map-type"] ?? null)}: ${why}`,
    );
}

function needsType(
  schema: JsonSchema,
  type: string,
  { field, why }: { readonly field: string; readonly why: string },
  add: Add,
): void {
  if ((schema.type ?? "") === "")
    add("FieldValueRequired", `${field}.type`, `Required value: ${why}`);
  else if (schema.type !== type)
    add("FieldValueInvalid", `${field}.type`, `Invalid value: ${shown(schema.type)}: ${why}`);
}

/** Keys of a list that is a map: scalars that every item has. */
function keyed(schema: JsonSchema, field: string, add: Add): void {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const list = schema["x-kubernetes-list-type"];
  const at = `${field}.x-kubernetes-list-map-keys`;
  if (keys.length > 0 && list !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const said =
      list === undefined ? `Required value: ${why}` : `Invalid value: ${shown(list)}: ${why}`;
    add(
      list === undefined ? "FieldValueRequired" : "FieldValueInvalid",
      `${field}.x-kubernetes-list-type`,
      said,
    );
  }
  if (list !== "map") return;
  const { items } = schema;
  if (keys.length === 0)
    add(
      "FieldValueRequired",
      at,
      "Required value: must not be empty if x-kubernetes-list-type is map",
    );
  if (new Set(keys).size !== keys.length)
    add(
      "FieldValueInvalid",
      at,
      `Invalid value: ${shown(keys)}: must not contain duplicate entries`,
    );
  if (items === undefined || Array.isArray(items)) {
    add(
      "FieldValueRequired",
      `${field}.items`,
      "Required value: must have a schema if x-kubernetes-list-type is map",
    );
    return;
  }
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    add(
      "FieldValueInvalid",
      `${field}.items.type`,
      `Invalid value: ${shown(items.type ?? "")}: ${why}`,
    );
  }
  for (const key of keys) keyFaults(items, key, { field, at, keys }, add);
}

function keyFaults(
  items: JsonSchema,
  key: string,
  {
    field,
    at,
    keys,
  }: { readonly field: string; readonly at: string; readonly keys: readonly string[] },
  add: Add,
): void {
  const property = own(items.properties, key);
  const place = `${field}.items.properties[${key}]`;
  if (property === undefined) {
    add(
      "FieldValueInvalid",
      at,
      `Invalid value: ${shown(keys)}: entries must all be names of item properties`,
    );
    return;
  }
  if (property.type === "array" || property.type === "object") {
    const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    add("FieldValueInvalid", `${place}.type`, `Invalid value: ${shown(property.type)}: ${why}`);
  }
  if (property.default === undefined && !(items.required ?? []).includes(key))
    add(
      "FieldValueRequired",
      `${place}.default`,
      "Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
    );
  if (property.nullable === true)
    add(
      "FieldValueForbidden",
      `${place}.nullable`,
      "Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
    );
}
