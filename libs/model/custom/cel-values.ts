/** A custom resource's values as the rules of its schema see them: typed by the schema. */
import { celValue, type CelValue, durationValue } from "../../cel/values.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isDateTime, isDate } from "./formats.ts";
import { isRecord, type JsonRecord, own } from "./record.ts";

/**
 * Numbers are of the type that the schema says, whatever they look like; times and durations are such;
 * objects have their declared fields only, under names that CEL can write.
 *
 * @param resource it has apiVersion, kind and metadata beside its declared fields
 */
export function typedValue(schema: JsonSchema, value: unknown, resource: boolean): CelValue {
  if (value === null || value === undefined) return null;
  if (schema["x-kubernetes-int-or-string"] === true) return celValue(value);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined || Array.isArray(items)) return celValue(value);
    const embedded = items["x-kubernetes-embedded-resource"] === true;
    return value.map((item) => typedValue(items, item, embedded));
  }
  if (isRecord(value)) return typedMembers(schema, value, resource);
  if (typeof value === "number") return schema.type === "number" ? value : celValue(value);
  if (typeof value === "string") return typedText(schema, value);
  return celValue(value);
}

function typedText({ format }: JsonSchema, text: string): CelValue {
  if (format === "duration") return durationValue(text) ?? text;
  if (format === "date" && isDate(text)) return new Date(`${text}T00:00:00Z`);
  if ((format === "date-time" || format === "datetime") && isDateTime(text)) return new Date(text);
  return format === "byte" ? new Uint8Array(Buffer.from(text, "base64")) : text;
}

function typedMembers(schema: JsonSchema, value: JsonRecord, resource: boolean): CelValue {
  const { additionalProperties, properties = {} } = schema;
  if (typeof additionalProperties === "object") {
    const embedded = additionalProperties["x-kubernetes-embedded-resource"] === true;
    return new Map(
      Object.entries(value).map(([name, member]) => [
        name,
        typedValue(additionalProperties, member, embedded),
      ]),
    );
  }
  const fields = new Map<string, CelValue>();
  for (const [name, inner] of Object.entries(properties)) {
    const member = own(value, name);
    if (member === undefined) continue;
    const embedded = inner["x-kubernetes-embedded-resource"] === true;
    fields.set(celName(name), typedValue(inner, member, embedded));
  }
  if (!resource) return fields;
  for (const name of ["apiVersion", "kind"]) fields.set(name, celValue(own(value, name) ?? ""));
  const metadata = own(value, "metadata");
  const { name, generateName } = isRecord(metadata) ? metadata : {};
  fields.set("metadata", celValue({ name, generateName }));
  return fields;
}

/** Words that CEL keeps for itself. */
const reserved: ReadonlySet<string> = new Set([
  "true",
  "false",
  "null",
  "in",
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
  "var",
  "void",
  "while",
]);

/** A field's name as expressions write it: `a-b` is `a__dash__b`. */
export function celName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}
