/** A schema with every sort of field, and writes of objects that have it. */
import { conflictMessage } from "./manage.ts";
import { type OpenApiSchema, typeOfOpenApi } from "./openapi-type.ts";
import { apply, update, type World } from "./world-fixture.ts";

const text: OpenApiSchema = { type: "string" };
const number: OpenApiSchema = { type: "integer" };
const item: OpenApiSchema = {
  type: "object",
  properties: { name: text, value: text, more: { type: "array", items: text } },
};
const port: OpenApiSchema = {
  type: "object",
  properties: { port: number, protocol: { ...text, default: "TCP" }, name: text },
};
export const schema: OpenApiSchema = {
  type: "object",
  properties: {
    text,
    number,
    any: { "x-kubernetes-preserve-unknown-fields": true },
    either: { "x-kubernetes-int-or-string": true },
    object: {
      type: "object",
      properties: { a: text, b: text, inner: { type: "object", properties: { c: text } } },
    },
    whole: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text, b: text } },
    labels: { type: "object", additionalProperties: text },
    list: { type: "array", items: text },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    items: {
      type: "array",
      items: item,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    ports: {
      type: "array",
      items: port,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
    nested: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        properties: {
          name: text,
          items: {
            type: "array",
            items: item,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
          },
        },
      },
    },
    open: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { known: text },
    },
  },
};
export const type = typeOfOpenApi(schema);

export type Step =
  | readonly ["apply" | "force", by: string, config: unknown]
  | readonly ["update", by: string, to: unknown];
export function step(world: World, [verb, by, given]: Step): World {
  if (verb === "update") return update(world, { type, by, to: given });
  const result = apply(world, { type, by, config: given, force: verb === "force" });
  if (!result.ok) throw new Error(conflictMessage(result.conflicts).message);
  return result;
}
