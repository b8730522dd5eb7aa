/** The field type that an OpenAPI v3 schema describes, as CustomResourceDefinitions hold one. */
import { type FieldType, type Member, scalar, untyped } from "./field-type.ts";
import { typeOfSchema } from "./shape-type.ts";
import { clusterMetadata } from "../metadata.ts";
import { dnsSubdomain } from "../names.ts";

/** What of a schema matters here. */
export type OpenApiSchema = {
  readonly type?: string | undefined;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, OpenApiSchema>> | undefined;
  readonly additionalProperties?: OpenApiSchema | boolean | undefined;
  readonly items?: OpenApiSchema | undefined;
  readonly "x-kubernetes-list-type"?: string | undefined;
  readonly "x-kubernetes-list-map-keys"?: readonly string[] | undefined;
  readonly "x-kubernetes-map-type"?: string | undefined;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean | undefined;
  readonly "x-kubernetes-int-or-string"?: boolean | undefined;
  readonly "x-kubernetes-embedded-resource"?: boolean | undefined;
};

/**
 * The type of whole objects whose schema is `schema`: `apiVersion`, `kind` and `metadata` are those
 * of all objects. Without a schema everything is as its values show.
 */
export function typeOfResource(schema: OpenApiSchema | undefined): FieldType {
  const described = typeOfOpenApi(schema ?? preserving);
  return described.type === "object" ? withHead(described) : described;
}

const preserving: OpenApiSchema = {
  type: "object",
  "x-kubernetes-preserve-unknown-fields": true,
};

export function typeOfOpenApi(schema: OpenApiSchema): FieldType {
  if (schema["x-kubernetes-int-or-string"] === true) return scalar;
  switch (schema.type ?? "") {
    case "object":
      return objectType(schema);
    case "array":
      return {
        type: "list",
        relation: relationOf(schema["x-kubernetes-list-type"]),
        keys: schema["x-kubernetes-list-map-keys"] ?? [],
        items: once(() => (schema.items === undefined ? untyped : typeOfOpenApi(schema.items))),
      };
    case "string":
      return { type: "scalar", holds: "string" };
    case "integer":
    case "number":
      return { type: "scalar", holds: "number" };
    case "boolean":
      return { type: "scalar", holds: "boolean" };
    default:
      return schema.properties === undefined ? untyped : objectType(schema);
  }
}

function objectType(schema: OpenApiSchema): FieldType {
  const { properties = {}, additionalProperties } = schema;
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  const fields = new Map(
    Object.entries(properties).map(([name, property]): [string, Member] => [
      name,
      { type: once(() => typeOfOpenApi(property)), default: plain(property.default) },
    ]),
  );
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const open = preserves || additionalProperties === true || fields.size === 0;
  const values =
    typeof additionalProperties === "object"
      ? once(() => typeOfOpenApi(additionalProperties))
      : open
        ? () => untyped
        : undefined;
  const made: FieldType = { type: "object", atomic, fields, values };
  return schema["x-kubernetes-embedded-resource"] === true ? withHead(made) : made;
}

function withHead(type: Extract<FieldType, { type: "object" }>): FieldType {
  const text = (): FieldType => ({ type: "scalar", holds: "string" });
  const head: [string, Member][] = [
    ["apiVersion", { type: text }],
    ["kind", { type: text }],
    ["metadata", { type: () => typeOfSchema(metadata), always: true }],
  ];
  return { ...type, fields: new Map([...type.fields, ...head]) };
}

const metadata = clusterMetadata(dnsSubdomain);

const relationOf = (text: string | undefined) =>
  text === "map" || text === "set" ? text : "atomic";

const plain = (value: unknown): Member["default"] =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
