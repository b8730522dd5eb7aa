/**
 * Whether a schema is structural: every field has its type, outside of `allOf`, `anyOf`, `oneOf` and
 * `not`, which only narrow down what is allowed. Then pruning, defaulting and patches know what a field is.
 */
import { compilePattern } from "../../cel/pattern.ts";
import type { Cause } from "../errors.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { withDefaults } from "./defaults.ts";
import { extensionFaults } from "./extension-faults.ts";
import { prune } from "./prune.ts";
import { own, shown } from "./record.ts";
import { validationFaults } from "./rule-faults.ts";
import { ruleTypeFaults } from "./rule-types.ts";
import { valueFaults } from "./validate.ts";

/** So many are told. */
const faultsMax = 100;
const types = ["array", "boolean", "integer", "number", "object", "string"];

/** Where a schema stands: it decides what is asked of it. */
export type Level = "root" | "item" | "field" | "metadata";

export type Add = (reason: Cause["reason"], field: string, message: string) => void;

export const faultAdder =
  (faults: Cause[]): Add =>
  (reason, field, message) => {
    if (faults.length < faultsMax) faults.push({ reason, field, message });
  };

/** What is wrong with a version's schema, each at its field below `field`. */
export function schemaFaults(schema: JsonSchema, field: string): readonly Cause[] {
  const faults: Cause[] = [];
  const add = faultAdder(faults);
  if (schema.nullable === true)
    add(
      "FieldValueForbidden",
      `${field}.nullable`,
      "Forbidden: nullable cannot be true at the root",
    );
  structural(schema, field, "root", add);
  // Of a schema that makes no sense rules make none.
  if (faults.length === 0) ruleTypeFaults(schema, field, add);
  return faults;
}

function structural(schema: JsonSchema, field: string, level: Level, add: Add): void {
  unsupported(schema, field, add);
  typed(schema, field, level, add);
  extensionFaults(schema, field, add);
  if (schema["x-kubernetes-int-or-string"] !== true) narrowing(schema, field, add);
  bounds(schema, field, add);
  defaultFaults(schema, field, level, add);
  validationFaults(schema, field, add);
  parts(schema, field, level, add);
}

function parts(schema: JsonSchema, field: string, level: Level, add: Add): void {
  const { properties = {}, items, additionalProperties } = schema;
  for (const [name, inner] of Object.entries(properties)) {
    const isMetadata = level === "root" && name === "metadata";
    const at = `${field}.properties[${name}]`;
    if (isMetadata) metadataFaults(inner, at, add);
    const isHead = level === "root" && (name === "kind" || name === "apiVersion");
    if (isHead && inner.type !== "string")
      add(
        "FieldValueInvalid",
        `${at}.type`,
        `Invalid value: ${shown(inner.type ?? "")}: must be string`,
      );
    structural(inner, at, isMetadata ? "metadata" : "field", add);
  }
  if (items !== undefined && !Array.isArray(items))
    structural(items, `${field}.items`, "item", add);
  if (typeof additionalProperties === "object")
    structural(additionalProperties, `${field}.additionalProperties`, "field", add);
}

function unsupported(schema: JsonSchema, field: string, add: Add): void {
  const members = [
    "id",
    "additionalItems",
    "patternProperties",
    "definitions",
    "dependencies",
    "$ref",
  ] as const;
  for (const name of members) {
    if (schema[name] !== undefined)
      add("FieldValueForbidden", `${field}.${name}`, `Forbidden: ${name} is not supported`);
  }
  if (Array.isArray(schema.items))
    add(
      "FieldValueForbidden",
      `${field}.items`,
      "Forbidden: items must be a schema object and not an array",
    );
  if (schema.uniqueItems === true)
    add(
      "FieldValueForbidden",
      `${field}.uniqueItems`,
      "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    );
  if (schema.additionalProperties === false)
    add(
      "FieldValueForbidden",
      `${field}.additionalProperties`,
      "Forbidden: additionalProperties cannot be set to false",
    );
  else if (schema.additionalProperties !== undefined && schema.properties !== undefined)
    add(
      "FieldValueForbidden",
      `${field}.additionalProperties`,
      "Forbidden: additionalProperties and properties are mutual exclusive",
    );
}

const missing: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
  metadata: "must not be empty for specified object fields",
};

function typed(schema: JsonSchema, field: string, level: Level, add: Add): void {
  const { type = "", items } = schema;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const mixed = schema["x-kubernetes-int-or-string"] === true;
  if (type === "" && !mixed && (!preserves || level === "root"))
    add("FieldValueRequired", `${field}.type`, `Required value: ${missing[level]}`);
  if (type !== "" && mixed)
    add(
      "FieldValueInvalid",
      `${field}.type`,
      `Invalid value: ${shown(type)}: must be empty if x-kubernetes-int-or-string is true`,
    );
  if (type === "null")
    add(
      "FieldValueForbidden",
      `${field}.type`,
      "Forbidden: type cannot be set to null, use nullable as an alternative",
    );
  else if (type !== "" && !types.includes(type))
    add(
      "FieldValueNotSupported",
      `${field}.type`,
      `Unsupported value: ${shown(type)}: supported values: ${types.map((one) => `"${one}"`).join(", ")}`,
    );
  if (level === "root" && type !== "" && type !== "object")
    add(
      "FieldValueInvalid",
      `${field}.type`,
      `Invalid value: ${shown(type)}: must be object at the root`,
    );
  if (level === "root" && schema.additionalProperties !== undefined)
    add(
      "FieldValueForbidden",
      `${field}.additionalProperties`,
      "Forbidden: must not be used at the root",
    );
  if (type === "array" && items === undefined)
    add("FieldValueRequired", `${field}.items`, "Required value: must be specified");
}

/** Of the root's metadata only names may be narrowed down; the rest is Kubernetes' own. */
function metadataFaults(schema: JsonSchema, field: string, add: Add): void {
  if (schema.type !== undefined && schema.type !== "object")
    add(
      "FieldValueInvalid",
      `${field}.type`,
      `Invalid value: ${shown(schema.type)}: must be object`,
    );
  const others = Object.keys(schema.properties ?? {}).filter(
    (name) => name !== "name" && name !== "generateName",
  );
  if (others.length > 0 || schema.additionalProperties !== undefined)
    add(
      "FieldValueForbidden",
      field,
      "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
    );
}

function bounds(schema: JsonSchema, field: string, add: Add): void {
  const { pattern } = schema;
  const compiled = pattern === undefined ? undefined : compilePattern(pattern);
  if (typeof compiled === "string")
    add(
      "FieldValueInvalid",
      `${field}.pattern`,
      `Invalid value: ${shown(pattern)}: must be a valid regular expression, but isn't: ${compiled}`,
    );
}

/** A default must be what the schema allows, as it will stand in an object. */
function defaultFaults(schema: JsonSchema, field: string, level: Level, add: Add): void {
  if (schema.default === undefined) return;
  const at = `${field}.default`;
  if (level === "root") {
    add("FieldValueForbidden", at, "Forbidden: must not be set at the root");
    return;
  }
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const { value, unknown } = prune(schema, schema.default, embedded);
  if (unknown.length > 0)
    add(
      "FieldValueInvalid",
      at,
      `Invalid value: ${shown(schema.default)}: must not have unknown fields`,
    );
  for (const fault of valueFaults(schema, withDefaults(schema, value)))
    add(fault.reason, fault.field === "" ? at : `${at}.${fault.field}`, fault.message);
}

const combinators = ["allOf", "anyOf", "oneOf"] as const;

/** What narrows down: it says nothing of structure, and nothing of a field that the structure has not. */
function narrowing(schema: JsonSchema, field: string, add: Add): void {
  for (const name of combinators)
    for (const [at, one] of (schema[name] ?? []).entries())
      valueOnly(one, schema, `${field}.${name}[${at}]`, add);
  if (schema.not !== undefined) valueOnly(schema.not, schema, `${field}.not`, add);
}

const structureOnly = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
] as const;

function valueOnly(
  schema: JsonSchema,
  structure: JsonSchema | undefined,
  field: string,
  add: Add,
): void {
  for (const [name, why] of structureOnly) {
    const value = schema[name];
    if (value !== undefined && value !== "" && value !== false)
      add("FieldValueForbidden", `${field}.${name}`, `Forbidden: ${why}`);
  }
  bounds(schema, field, add);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const declared = own(structure?.properties, name) ?? othersOf(structure);
    if (declared === undefined && structure !== undefined)
      add(
        "FieldValueRequired",
        placeOf(field, "properties", name),
        `Required value: because it is defined in ${field}.properties[${name}]`,
      );
    valueOnly(inner, declared, `${field}.properties[${name}]`, add);
  }
  const { items } = schema;
  if (items !== undefined && !Array.isArray(items)) {
    const declared = Array.isArray(structure?.items) ? undefined : structure?.items;
    if (declared === undefined && structure !== undefined)
      add(
        "FieldValueRequired",
        placeOf(field, "items"),
        `Required value: because it is defined in ${field}.items`,
      );
    valueOnly(items, declared, `${field}.items`, add);
  }
  for (const name of combinators)
    for (const [at, one] of (schema[name] ?? []).entries())
      valueOnly(one, structure, `${field}.${name}[${at}]`, add);
  if (schema.not !== undefined) valueOnly(schema.not, structure, `${field}.not`, add);
}

const othersOf = (structure: JsonSchema | undefined): JsonSchema | undefined =>
  typeof structure?.additionalProperties === "object" ? structure.additionalProperties : undefined;

/** The place in the structure that a narrowing one speaks of. */
function placeOf(field: string, part: string, name?: string): string {
  const bare = field.replaceAll(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not(?=\.|$)/g, "");
  return name === undefined ? `${bare}.${part}` : `${bare}.${part}[${name}]`;
}
