/** The types of a custom resource's values, as the rules of its schema are checked against them. */
import type { CelDeclaration } from "../../cel/declarations.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { celName } from "./cel-values.ts";

/**
 * Undefined where a value's type is not known: it is no field of the object that it lies in, and no rule
 * can speak of it.
 *
 * @param resource it has apiVersion, kind and metadata beside its declared fields
 */
export function celDeclaration(schema: JsonSchema, resource: boolean): CelDeclaration | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) return "dyn";
  switch (resource ? "object" : schema.type) {
    case "array": {
      const { items } = schema;
      if (items === undefined || Array.isArray(items)) return undefined;
      const item = celDeclaration(items, isEmbedded(items));
      return item && { list: item };
    }
    case "object":
      return objectDeclaration(schema, resource);
    case "string":
      return textDeclaration(schema);
    case "boolean":
      return "bool";
    case "number":
      return "double";
    case "integer":
      return "int";
    case undefined:
    default:
      return undefined;
  }
}

export const isEmbedded = (schema: JsonSchema): boolean =>
  schema["x-kubernetes-embedded-resource"] === true;

const resourceFields: Readonly<Record<string, CelDeclaration>> = {
  apiVersion: "string",
  kind: "string",
  metadata: { fields: { name: "string", generateName: "string" } },
};

function objectDeclaration(
  { properties = {}, additionalProperties }: JsonSchema,
  resource: boolean,
): CelDeclaration | undefined {
  if (typeof additionalProperties === "object") {
    const member = celDeclaration(additionalProperties, isEmbedded(additionalProperties));
    return member && { map: member };
  }
  const fields: Record<string, CelDeclaration> = {};
  for (const [name, schema] of Object.entries(properties)) {
    const declaration = celDeclaration(schema, isEmbedded(schema));
    if (declaration !== undefined && isWritable(name)) fields[celName(name)] = declaration;
  }
  return { fields: { ...fields, ...(resource && resourceFields) } };
}

/** Whether CEL has a way to write a field's name. */
const isWritable = (name: string): boolean => /^[A-Za-z_./-][\w./-]*$/.test(name);

function textDeclaration({ format }: JsonSchema): CelDeclaration {
  switch (format) {
    case "byte":
      return "bytes";
    case "duration":
      return "google.protobuf.Duration";
    case "date":
    case "date-time":
    case "datetime":
      return "google.protobuf.Timestamp";
    case undefined:
    default:
      return "string";
  }
}
