/** OpenAPI of the kinds that users have added: their own schema, with what every object has. */
import type { Kind } from "../../../libs/model/kind.ts";

type Json = Record<string, unknown>;

const says = {
  apiVersion: "APIVersion defines the versioned schema of this representation of an object.",
  kind: "Kind is a string value representing the REST resource this object represents.",
};

/** @param head the schema of `apiVersion`, `kind` and `metadata` */
export function customSchema({ custom }: Pick<Kind, "custom">, head: Json): Json {
  const schema = custom?.schema ?? { type: "object" };
  const { properties = {} } = schema;
  const { metadata } = (head["properties"] ?? {}) as Json; // Of an object's schema.
  return {
    ...schema,
    type: "object",
    properties: {
      ...properties,
      apiVersion: { type: "string", description: says.apiVersion },
      kind: { type: "string", description: says.kind },
      metadata,
    },
  };
}
