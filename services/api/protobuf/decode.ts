/**
 * Kubernetes' protobuf as the JSON that says the same, led by the field numbers in a kind's schema.
 *
 * A Go writer writes fields that are no pointers even when they are empty; JSON omits those. So what
 * is empty is left out, but for numbers and flags whose schema takes them: `replicas: 0` is meant.
 */
import * as z from "zod";
import { inner, unwrapped } from "../patch/list-schema.ts";
import { fieldsOf, guarded, type WireValue } from "./envelope.ts";

type Schema = z.core.$ZodType;

/** @throws {ApiError} BadRequest when the bytes are no such message */
export function decodeMessage(schema: Schema, message: Uint8Array): Record<string, unknown> {
  return guarded(() => objectFrom(schema, message));
}

function objectFrom(schema: Schema, message: Uint8Array): Record<string, unknown> {
  const bare = unwrapped(schema);
  if (!(bare instanceof z.ZodObject)) return {};
  const fields = fieldsOf(message);
  const shape = bare.shape as Record<string, Schema>; // As zod types it.
  const entries = Object.entries(shape).flatMap(([name, field]): [string, unknown][] => {
    const values = valuesOf(fields, metaOf(field, "proto"));
    const value = values.length === 0 ? undefined : fieldValue(field, values);
    // No pointer, and set by the cluster alone.
    const unset = value === undefined || (name === "generation" && value === 0);
    return unset ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

type Fields = ReturnType<typeof fieldsOf>;

/** A field's values; of several numbers each but the last is a message that the next lies in. */
function valuesOf(fields: Fields, proto: unknown): readonly WireValue[] {
  if (typeof proto === "number") return fields.get(proto) ?? [];
  if (!Array.isArray(proto)) return [];
  const [outer, ...nested] = proto as [number, ...number[]]; // As GlobalMeta types it.
  if (nested.length === 0) return valuesOf(fields, outer);
  const holder = fields.get(outer)?.at(-1);
  return holder?.wire === "bytes" ? valuesOf(fieldsOf(holder.value), nested) : [];
}

function fieldValue(schema: Schema, values: readonly WireValue[]): unknown {
  const bare = unwrapped(schema);
  const format = metaOf(schema, "format");
  if (bare instanceof z.ZodArray) return values.map((value) => itemValue(bare.element, value));
  if (bare instanceof z.ZodRecord && format !== "fields-v1") {
    return Object.fromEntries(values.map((value) => mapEntry(bare.valueType, value)));
  }
  const last = values.at(-1);
  const value = last === undefined ? undefined : single(schema, last);
  if (format === "json") return value; // Whatever it is, it is meant.
  if (value === "" || value === undefined) return undefined;
  const isZero = value === 0 || value === false;
  return isZero && !z.safeParse(schema, value).success ? undefined : value;
}

/** An item of a list, or a value of a map: an empty one is meant. */
function itemValue(schema: Schema, value: WireValue): unknown {
  return single(schema, value) ?? "";
}

function mapEntry(valueSchema: Schema, entry: WireValue): [string, unknown] {
  const fields = entry.wire === "bytes" ? fieldsOf(entry.value) : new Map<number, WireValue[]>();
  const key = fields.get(1)?.at(-1);
  const value = fields.get(2)?.at(-1);
  if (value === undefined) return [textOf(key), ""];
  if (unwrapped(valueSchema) instanceof z.ZodArray && value.wire === "bytes") {
    // A list cannot be a map's value there: it lies in a message of its own.
    return [textOf(key), fieldValue(valueSchema, fieldsOf(value.value).get(1) ?? [])];
  }
  return [textOf(key), itemValue(valueSchema, value)];
}

function single(schema: Schema, value: WireValue): unknown {
  const bare = unwrapped(schema);
  switch (metaOf(schema, "format")) {
    case "date-time":
    case "micro-time":
      return timeOf(value, metaOf(schema, "format") === "micro-time");
    case "quantity":
      return textOf(bytesField(value, 1));
    case "int-or-string":
      return intOrString(value);
    case "extra-value":
      return value.wire === "bytes" ? (fieldsOf(value.value).get(1) ?? []).map(textOf) : undefined;
    case "byte":
      return value.wire === "bytes" ? Buffer.from(value.value).toString("base64") : undefined;
    case "json":
    case "fields-v1": {
      const raw = textOf(bytesField(value, 1));
      return raw === "" ? undefined : (JSON.parse(raw) as unknown);
    }
    default:
  }
  if (bare instanceof z.ZodUnion) return optionValue(bare, value);
  if (value.wire !== "bytes") return bare instanceof z.ZodBoolean ? value.value !== 0 : value.value;
  if (bare instanceof z.ZodObject) return objectFrom(bare, value.value);
  return textOf(value);
}

/** The first option of a union that its message holds. */
function optionValue(union: z.ZodUnion, value: WireValue): unknown {
  if (value.wire !== "bytes") return undefined;
  const fields = fieldsOf(value.value);
  for (const option of union.options) {
    const values = valuesOf(fields, metaOf(option, "proto"));
    if (values.length > 0) return fieldValue(option, values);
  }
  return undefined;
}

/** A Time is a message of seconds and nanoseconds; an empty one is no time. */
function timeOf(value: WireValue, micro: boolean): string | undefined {
  if (value.wire !== "bytes") return undefined;
  const fields = fieldsOf(value.value);
  const seconds = fields.get(1)?.at(-1);
  if (seconds === undefined || seconds.wire !== "varint") return undefined;
  const nanos = fields.get(2)?.at(-1);
  const text = new Date(seconds.value * 1_000).toISOString().slice(0, 19);
  if (!micro) return `${text}Z`;
  const fraction = nanos?.wire === "varint" ? Math.floor(nanos.value / 1_000) : 0;
  return `${text}.${String(fraction).padStart(6, "0")}Z`;
}

/** `{ type: 0, intVal }` or `{ type: 1, strVal }`. */
function intOrString(value: WireValue): unknown {
  if (value.wire !== "bytes") return value.value;
  const fields = fieldsOf(value.value);
  const [type, int, text] = [1, 2, 3].map((field) => fields.get(field)?.at(-1));
  return type?.value === 1 ? textOf(text) : (int?.value ?? 0);
}

function bytesField(value: WireValue, field: number): WireValue | undefined {
  return value.wire === "bytes" ? fieldsOf(value.value).get(field)?.at(-1) : undefined;
}

const textOf = (value: WireValue | undefined): string =>
  value?.wire === "bytes" ? new TextDecoder("utf-8", { fatal: true }).decode(value.value) : "";

/** Metadata of a schema or of what it wraps, the outermost first. */
function metaOf(schema: Schema, name: "proto" | "format"): unknown {
  for (let at: Schema | undefined = schema; at !== undefined; at = inner(at)) {
    const found: unknown = z.globalRegistry.get(at)?.[name];
    if (found !== undefined) return found;
  }
  return undefined;
}
