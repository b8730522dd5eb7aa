/**
 * JSONSchemaProps: the schema of a custom resource. Whether it is structural, and whether what it says
 * makes sense, is judged apart from its shape.
 */
import * as z from "zod";
import { atomicList, double, int64, json, mergeBy } from "../field.ts";

const rule = z
  .strictObject({
    rule: z.string().meta({ proto: 1, description: "In CEL; `self` is the value." }),
    message: z.string().optional().meta({ proto: 2 }),
    messageExpression: z.string().optional().meta({ proto: 3 }),
    reason: z.string().optional().meta({ proto: 4 }),
    fieldPath: z.string().optional().meta({ proto: 5 }),
    optionalOldSelf: z.boolean().optional().meta({ proto: 6 }),
  })
  .meta({ title: "apiextensions.v1.ValidationRule" });
export type ValidationRule = z.output<typeof rule>;

const externalDocs = z
  .strictObject({
    description: z.string().optional().meta({ proto: 1 }),
    url: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "apiextensions.v1.ExternalDocumentation" });

/** Written out, because it holds itself. */
export type JsonSchema = {
  id?: string | undefined;
  $schema?: string | undefined;
  $ref?: string | undefined;
  description?: string | undefined;
  type?: string | undefined;
  format?: string | undefined;
  title?: string | undefined;
  default?: unknown;
  maximum?: number | undefined;
  exclusiveMaximum?: boolean | undefined;
  minimum?: number | undefined;
  exclusiveMinimum?: boolean | undefined;
  maxLength?: number | undefined;
  minLength?: number | undefined;
  pattern?: string | undefined;
  maxItems?: number | undefined;
  minItems?: number | undefined;
  uniqueItems?: boolean | undefined;
  multipleOf?: number | undefined;
  enum?: unknown[] | undefined;
  maxProperties?: number | undefined;
  minProperties?: number | undefined;
  required?: string[] | undefined;
  items?: JsonSchema | JsonSchema[] | undefined;
  allOf?: JsonSchema[] | undefined;
  oneOf?: JsonSchema[] | undefined;
  anyOf?: JsonSchema[] | undefined;
  not?: JsonSchema | undefined;
  properties?: Record<string, JsonSchema> | undefined;
  additionalProperties?: JsonSchema | boolean | undefined;
  patternProperties?: Record<string, JsonSchema> | undefined;
  dependencies?: Record<string, JsonSchema | string[]> | undefined;
  additionalItems?: JsonSchema | boolean | undefined;
  definitions?: Record<string, JsonSchema> | undefined;
  externalDocs?: z.output<typeof externalDocs> | undefined;
  example?: unknown;
  nullable?: boolean | undefined;
  "x-kubernetes-preserve-unknown-fields"?: boolean | undefined;
  "x-kubernetes-embedded-resource"?: boolean | undefined;
  "x-kubernetes-int-or-string"?: boolean | undefined;
  "x-kubernetes-list-map-keys"?: string[] | undefined;
  "x-kubernetes-list-type"?: string | undefined;
  "x-kubernetes-map-type"?: string | undefined;
  "x-kubernetes-validations"?: ValidationRule[] | undefined;
};

export const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() => props);

const text = (proto: number) => z.string().optional().meta({ proto });
const flag = (proto: number) => z.boolean().optional().meta({ proto });
const whole = (proto: number) => int64.optional().meta({ proto });
const real = (proto: number) => double.optional().meta({ proto });
const texts = (proto: number) =>
  z
    .array(z.string())
    .optional()
    .meta({ proto, ...atomicList });
const schemas = (proto: number) =>
  z
    .array(jsonSchema)
    .optional()
    .meta({ proto, ...atomicList });
const schemasByName = (proto: number) =>
  z.record(z.string(), jsonSchema).optional().meta({ proto });

/** The options' numbers are those of the message that stands for the union. */
const schemaOrFlag = (proto: number) =>
  z
    .union([jsonSchema.meta({ proto: 2 }), z.boolean().meta({ proto: 1 })])
    .optional()
    .meta({ proto });

const props: z.ZodType<JsonSchema> = z
  .strictObject({
    id: text(1),
    $schema: text(2),
    $ref: text(3),
    description: text(4),
    type: text(5),
    format: text(6),
    title: text(7),
    default: json.optional().meta({ proto: 8 }),
    maximum: real(9),
    exclusiveMaximum: flag(10),
    minimum: real(11),
    exclusiveMinimum: flag(12),
    maxLength: whole(13),
    minLength: whole(14),
    pattern: text(15),
    maxItems: whole(16),
    minItems: whole(17),
    uniqueItems: flag(18),
    multipleOf: real(19),
    enum: z
      .array(json)
      .optional()
      .meta({ proto: 20, ...atomicList }),
    maxProperties: whole(21),
    minProperties: whole(22),
    required: texts(23),
    items: z
      .union([jsonSchema.meta({ proto: 1 }), z.array(jsonSchema).meta({ proto: 2 })])
      .optional()
      .meta({ proto: 24 }),
    allOf: schemas(25),
    oneOf: schemas(26),
    anyOf: schemas(27),
    not: jsonSchema.optional().meta({ proto: 28 }),
    properties: schemasByName(29),
    additionalProperties: schemaOrFlag(30),
    patternProperties: schemasByName(31),
    dependencies: z
      .record(
        z.string(),
        z.union([jsonSchema.meta({ proto: 1 }), z.array(z.string()).meta({ proto: 2 })]),
      )
      .optional()
      .meta({ proto: 32 }),
    additionalItems: schemaOrFlag(33),
    definitions: schemasByName(34),
    externalDocs: externalDocs.optional().meta({ proto: 35 }),
    example: json.optional().meta({ proto: 36 }),
    nullable: flag(37),
    "x-kubernetes-preserve-unknown-fields": flag(38),
    "x-kubernetes-embedded-resource": flag(39),
    "x-kubernetes-int-or-string": flag(40),
    "x-kubernetes-list-map-keys": texts(41),
    "x-kubernetes-list-type": text(42),
    "x-kubernetes-map-type": text(43),
    "x-kubernetes-validations": z
      .array(rule)
      .optional()
      .meta({ proto: 44, ...mergeBy("rule") }),
  })
  .meta({ title: "apiextensions.v1.JSONSchemaProps" });
