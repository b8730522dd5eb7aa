/**
 * Whether a value is as a custom resource's schema says: types, bounds, patterns, formats, and the
 * uniqueness of lists that are sets or maps. In Kubernetes' words, each fault at its field.
 *
 * What an update leaves as it was is not judged again: a schema may have become stricter since.
 */
import { dequal } from "dequal";
import { compilePattern } from "../../cel/pattern.ts";
import type { Path } from "../conform.ts";
import { type Cause, fieldOf } from "../errors.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isOfFormat } from "./formats.ts";
import { listFaults, oldItems } from "./list-faults.ts";
import { isRecord, type JsonRecord, own, shown } from "./record.ts";

/** The value that an update replaces, where there is one to compare with. */
export type Old = { readonly value: unknown } | undefined;

/** So many are told. */
const faultsMax = 100;

export function valueFaults(schema: JsonSchema, value: unknown, old?: Old): readonly Cause[] {
  const faults: Cause[] = [];
  visit({ faults }, schema, value, old, []);
  return faults;
}

type Walk = { readonly faults: Cause[] };

function visit(walk: Walk, schema: JsonSchema, value: unknown, old: Old, path: Path): void {
  if (walk.faults.length >= faultsMax) return;
  if (old !== undefined && dequal(value, old.value)) return;
  if (value === null && schema.nullable === true) return;
  const fault = typeFault(schema, value, path);
  if (fault !== undefined) {
    walk.faults.push(fault);
    return;
  }
  judge(walk, schema, value, path);
  if (Array.isArray(value)) visitItems(walk, schema, value, old, path);
  else if (isRecord(value)) visitMembers(walk, schema, value, old, path);
  walk.faults.push(...compositeFaults(schema, value, path));
}

/** What the value itself breaks, beside its type and its parts. */
function judge(walk: Walk, schema: JsonSchema, value: unknown, path: Path): void {
  const add = (reason: string, message: string) =>
    walk.faults.push({ reason, field: fieldOf(path), message });
  if (typeof value === "string") {
    for (const message of stringFaults(schema, value, path)) add(message.reason, message.message);
  }
  if (typeof value === "number") {
    for (const message of numberFaults(schema, value, path)) add("FieldValueInvalid", message);
  }
  if (schema.enum !== undefined && !schema.enum.some((one) => dequal(one, value))) {
    const supported = schema.enum.map((one) =>
      JSON.stringify(typeof one === "string" ? one : JSON.stringify(one)),
    );
    add(
      "FieldValueNotSupported",
      `Unsupported value: ${shown(value)}: supported values: ${supported.join(", ")}`,
    );
  }
}

/** The type's name as messages have it. */
export function typeNameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const typesOf = (schema: JsonSchema): readonly string[] => {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  return schema.type === undefined || schema.type === "" ? [] : [schema.type];
};

function typeFault(schema: JsonSchema, value: unknown, path: Path): Cause | undefined {
  const types = typesOf(schema);
  const name = typeNameOf(value);
  const fits =
    types.length === 0 || types.includes(name) || (name === "integer" && types.includes("number"));
  if (fits) return undefined;
  return {
    reason: "FieldValueTypeInvalid",
    field: fieldOf(path),
    message: `Invalid value: "${name}": ${inBody(path)} must be of type ${types.join(",")}: "${name}"`,
  };
}

/** `spec.replicas in body`, as Kubernetes' validator names a place. */
const inBody = (path: Path) => `${fieldOf(path)} in body`;

function stringFaults(schema: JsonSchema, text: string, path: Path) {
  const faults: { readonly reason: string; readonly message: string }[] = [];
  const invalid = (why: string) =>
    faults.push({
      reason: "FieldValueInvalid",
      message: `Invalid value: ${shown(text)}: ${inBody(path)} ${why}`,
    });
  const { maxLength, minLength, pattern, format } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : Array.from(text).length;
  if (maxLength !== undefined && length > maxLength) {
    faults.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${maxLength} bytes`,
    });
  }
  if (minLength !== undefined && length < minLength)
    invalid(`should be at least ${minLength} chars long`);
  if (pattern !== undefined && pattern !== "") {
    const compiled = compilePattern(pattern);
    if (typeof compiled !== "string" && !compiled.test(text)) invalid(`should match '${pattern}'`);
  }
  if (format !== undefined && !isOfFormat(format, text)) {
    faults.push({
      reason: "FieldValueTypeInvalid",
      message: `Invalid value: ${shown(text)}: ${inBody(path)} must be of type ${format}: ${shown(text)}`,
    });
  }
  return faults;
}

function numberFaults(schema: JsonSchema, value: number, path: Path): readonly string[] {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum } = schema;
  const faults: string[] = [];
  const add = (why: string) =>
    faults.push(`Invalid value: ${value}: ${inBody(path)} should be ${why}`);
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    add(`less than ${exclusiveMaximum === true ? "" : "or equal to "}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    add(`greater than ${exclusiveMinimum === true ? "" : "or equal to "}${minimum}`);
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf))
    add(`a multiple of ${multipleOf}`);
  return faults;
}

/** Of fractions to within rounding: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9;
}

function visitItems(
  walk: Walk,
  schema: JsonSchema,
  list: readonly unknown[],
  old: Old,
  path: Path,
): void {
  const { maxItems, minItems, items } = schema;
  const field = fieldOf(path);
  if (maxItems !== undefined && list.length > maxItems) {
    const message = `Too many: ${list.length}: must have at most ${maxItems} items`;
    walk.faults.push({ reason: "FieldValueTooMany", field, message });
  }
  if (minItems !== undefined && list.length < minItems) {
    const message = `Invalid value: ${list.length}: ${inBody(path)} should have at least ${minItems} items`;
    walk.faults.push({ reason: "FieldValueInvalid", field, message });
  }
  walk.faults.push(...listFaults(schema, list, path));
  if (items === undefined || Array.isArray(items)) return;
  const before = oldItems(schema, old?.value);
  for (const [at, item] of list.entries()) visit(walk, items, item, before(item), [...path, at]);
}

function visitMembers(
  walk: Walk,
  schema: JsonSchema,
  object: JsonRecord,
  old: Old,
  path: Path,
): void {
  const { required = [], maxProperties, minProperties } = schema;
  const names = Object.keys(object);
  for (const name of required) {
    if (own(object, name) !== undefined) continue;
    const field = fieldOf([...path, name]);
    walk.faults.push({ reason: "FieldValueRequired", field, message: "Required value" });
  }
  const field = fieldOf(path);
  if (maxProperties !== undefined && names.length > maxProperties) {
    const message = `Too many: ${names.length}: must have at most ${maxProperties} items`;
    walk.faults.push({ reason: "FieldValueTooMany", field, message });
  }
  if (minProperties !== undefined && names.length < minProperties) {
    const message = `Invalid value: ${names.length}: ${inBody(path)} should have at least ${minProperties} properties`;
    walk.faults.push({ reason: "FieldValueInvalid", field, message });
  }
  const was = isRecord(old?.value) ? old.value : undefined;
  for (const name of names) {
    const inner = memberSchema(schema, name);
    if (inner === undefined) continue;
    const before = own(was, name);
    visit(walk, inner, object[name], before === undefined ? undefined : { value: before }, [
      ...path,
      name,
    ]);
  }
}

/** The schema of a member, a declared one or any other; undefined where nothing is said. */
export function memberSchema(schema: JsonSchema, name: string): JsonSchema | undefined {
  const declared = own(schema.properties, name);
  if (declared !== undefined) return declared;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

function compositeFaults(schema: JsonSchema, value: unknown, path: Path): readonly Cause[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const faults: Cause[] = [];
  const passes = (one: JsonSchema) => valueFaults(one, value).length === 0;
  const add = (why: string) =>
    faults.push({
      reason: "FieldValueInvalid",
      field: fieldOf(path),
      message: `Invalid value: "": ${JSON.stringify(fieldOf(path))} must ${why}`,
    });
  for (const one of allOf ?? []) visit({ faults }, one, value, undefined, path);
  if (anyOf !== undefined && anyOf.length > 0 && !anyOf.some(passes))
    add("validate at least one schema (anyOf)");
  if (oneOf !== undefined && oneOf.length > 0) {
    const count = oneOf.filter(passes).length;
    const found = count === 0 ? "Found none valid" : `Found ${count} valid alternatives`;
    if (count !== 1) add(`validate one and only one schema (oneOf). ${found}`);
  }
  if (not !== undefined && passes(not)) add("not validate the schema (not)");
  return faults;
}
