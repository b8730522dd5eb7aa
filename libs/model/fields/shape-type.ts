/** The field type of a kind, from its schema. */
import type * as z from "zod";
import { apiVersionOf, type Kind } from "../kind.ts";
import { type Shape, shapeOf } from "../shape.ts";
import { type FieldType, type Member, scalar, untyped } from "./field-type.ts";

/** A kind's type, derived once: what the kind says of itself, else what its schema says. */
export function typeOfKind(kind: Kind): FieldType {
  return kind.fieldType ?? typeOfSchema(kind.schema);
}

/** The type that a kind has in another of its versions; undefined when it is not served in that. */
export function kindIn(kind: Kind, apiVersion: string): Kind | undefined {
  const stored = kind.stored?.kind ?? kind;
  return [kind, stored, ...stored.versions].find((one) => apiVersionOf(one) === apiVersion);
}

const ofSchemas = new WeakMap<z.core.$ZodType, FieldType>();

export function typeOfSchema(schema: z.core.$ZodType): FieldType {
  const known = ofSchemas.get(schema) ?? typeOfShape(shapeOf(schema));
  ofSchemas.set(schema, known);
  return known;
}

const ofShapes = new WeakMap<Shape, FieldType>();

function typeOfShape(shape: Shape): FieldType {
  const known = ofShapes.get(shape) ?? made(shape);
  ofShapes.set(shape, known);
  return known;
}

function made(shape: Shape): FieldType {
  const { meta } = shape;
  switch (shape.type) {
    case "object":
      return {
        type: "object",
        atomic: meta["x-kubernetes-map-type"] === "atomic",
        fields: new Map(
          shape.fields.map((field): [string, Member] => [
            field.name,
            { type: () => typeOfShape(field.shape), default: field.default, always: field.filled },
          ]),
        ),
        values: undefined,
      };
    case "map":
      return {
        type: "object",
        atomic: meta["x-kubernetes-map-type"] === "atomic",
        fields: new Map(),
        values: () => typeOfShape(shape.values),
      };
    case "list":
      return {
        type: "list",
        relation: meta["x-kubernetes-list-type"] ?? "atomic",
        keys: meta["x-kubernetes-list-map-keys"] ?? [],
        items: () => typeOfShape(shape.items),
      };
    case "string":
      return { type: "scalar", holds: "string" };
    case "integer":
    case "number":
      return { type: "scalar", holds: "number" };
    case "boolean":
      return { type: "scalar", holds: "boolean" };
    case "either":
      return untyped;
    case "any":
      return meta.format === "quantity" || meta.format === "int-or-string" ? scalar : untyped;
    default:
      return shape satisfies never;
  }
}
