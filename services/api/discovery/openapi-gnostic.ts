/**
 * An OpenAPI v2 document as the protobuf that clients of Kubernetes read it in: gnostic's messages, of
 * which those fields are written that `openApiV2` makes.
 *
 * @see https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto
 */
import * as z from "zod";
import { encodeMessage } from "../protobuf/encode.ts";
import type { Json } from "./openapi-schemas.ts";

/** @param document as `openApiV2` makes it */
export function gnostic(document: Json): Uint8Array<ArrayBuffer> {
  return encodeMessage(documentMessage, {
    ...document,
    paths: { path: mapped(document["paths"], pathItemOf) },
    definitions: { properties: mapped(document["definitions"], schemaOf) },
    securityDefinitions: { schemes: mapped(document["securityDefinitions"], (key) => ({ key })) },
    security: ((document["security"] ?? []) as readonly Json[]).map((one) => ({
      schemes: mapped(one, () => ({})),
    })),
  });
}

const text = z.string().optional();
const texts = z.array(z.string()).optional();
const flag = z.boolean().optional();
/** Any value: it is written as YAML, of which JSON is a part. */
const any = z.object({ yaml: text.meta({ proto: 2 }) });
/** A map is written as a list of its entries, which are what protobuf's own maps are. */
const extensions = z.record(z.string(), any).optional();

type Message = z.ZodType;
const schemaMessage: Message = z.object({
  $ref: text.meta({ proto: 1 }),
  format: text.meta({ proto: 2 }),
  title: text.meta({ proto: 3 }),
  description: text.meta({ proto: 4 }),
  default: any.optional().meta({ proto: 5 }),
  uniqueItems: flag.meta({ proto: 16 }),
  required: texts.meta({ proto: 19 }),
  enum: z.array(any).optional().meta({ proto: 20 }),
  additionalProperties: z.lazy(() => schemaMessage).meta({ proto: [21, 1] }),
  type: texts.meta({ proto: [22, 1] }),
  items: z.array(z.lazy(() => schemaMessage)).meta({ proto: [23, 1] }),
  properties: z
    .record(
      z.string(),
      z.lazy(() => schemaMessage),
    )
    .meta({ proto: [25, 1] }),
  extensions: extensions.meta({ proto: 31 }),
});

/** Of a query and of a path, which differ in two numbers. */
const parameterOf = (type: number, format: number, unique: number) =>
  z.object({
    required: flag.meta({ proto: 1 }),
    in: text.meta({ proto: 2 }),
    description: text.meta({ proto: 3 }),
    name: text.meta({ proto: 4 }),
    type: text.meta({ proto: type }),
    format: text.meta({ proto: format }),
    uniqueItems: flag.meta({ proto: unique }),
  });
const bodyParameter = z.object({
  description: text.meta({ proto: 1 }),
  name: text.meta({ proto: 2 }),
  in: text.meta({ proto: 3 }),
  required: flag.meta({ proto: 4 }),
  schema: schemaMessage.optional().meta({ proto: 5 }),
});
const nonBody = z.object({
  query: parameterOf(6, 7, 20).optional().meta({ proto: 3 }),
  path: parameterOf(5, 6, 19).optional().meta({ proto: 4 }),
});
const parameterItem = z.object({
  parameter: z
    .object({
      body: bodyParameter.optional().meta({ proto: 1 }),
      nonBody: nonBody.optional().meta({ proto: 2 }),
    })
    .meta({ proto: 1 }),
});
const parameters = z.array(parameterItem).optional();
const response = z.object({
  description: text.meta({ proto: 1 }),
  schema: schemaMessage.optional().meta({ proto: [2, 1] }),
});
const operationMessage = z.object({
  tags: texts.meta({ proto: 1 }),
  description: text.meta({ proto: 3 }),
  operationId: text.meta({ proto: 5 }),
  produces: texts.meta({ proto: 6 }),
  consumes: texts.meta({ proto: 7 }),
  parameters: parameters.meta({ proto: 8 }),
  responses: z
    .record(z.string(), z.object({ response: response.meta({ proto: 1 }) }))
    .meta({ proto: [9, 1] }),
  schemes: texts.meta({ proto: 10 }),
  extensions: extensions.meta({ proto: 13 }),
});
const operation = operationMessage.optional();
const pathItem = z.object({
  get: operation.meta({ proto: 2 }),
  put: operation.meta({ proto: 3 }),
  post: operation.meta({ proto: 4 }),
  delete: operation.meta({ proto: 5 }),
  patch: operation.meta({ proto: 8 }),
  parameters: parameters.meta({ proto: 9 }),
});
const apiKey = z.object({
  type: text.meta({ proto: 1 }),
  name: text.meta({ proto: 2 }),
  in: text.meta({ proto: 3 }),
});
const documentMessage = z.object({
  swagger: text.meta({ proto: 1 }),
  info: z
    .object({ title: text.meta({ proto: 1 }), version: text.meta({ proto: 2 }) })
    .meta({ proto: 2 }),
  paths: z.object({ path: z.record(z.string(), pathItem).meta({ proto: 2 }) }).meta({ proto: 8 }),
  definitions: z
    .object({ properties: z.record(z.string(), schemaMessage).meta({ proto: 1 }) })
    .meta({ proto: 9 }),
  security: z
    .array(
      z.object({
        schemes: z.record(z.string(), z.object({}).meta({ proto: 1 })).meta({ proto: 1 }),
      }),
    )
    .meta({ proto: 12 }),
  securityDefinitions: z
    .object({
      schemes: z
        .record(z.string(), z.object({ key: apiKey.meta({ proto: 2 }) }))
        .meta({ proto: 1 }),
    })
    .meta({ proto: 13 }),
});

const anyOf = (value: unknown) => ({ yaml: `${JSON.stringify(value)}\n` });

const mapped = (map: unknown, make: (value: Json) => Json): Json =>
  Object.fromEntries(
    Object.entries((map ?? {}) as Readonly<Record<string, Json>>).map(([name, value]) => [
      name,
      make(value),
    ]),
  );

const extensionsOf = (value: Json) => ({
  extensions: Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name.startsWith("x-"))
      .map(([name, one]) => [name, anyOf(one)]),
  ),
});

function schemaOf(schema: Json): Json {
  const { type, items, properties, additionalProperties, default: fallback, ...rest } = schema;
  const choices = schema["enum"] as readonly unknown[] | undefined;
  return {
    ...rest,
    ...(type !== undefined && { type: [type] }),
    ...(items !== undefined && { items: [schemaOf(items as Json)] }),
    ...(properties !== undefined && { properties: mapped(properties, schemaOf) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: schemaOf(additionalProperties as Json),
    }),
    ...(fallback !== undefined && { default: anyOf(fallback) }),
    ...(choices !== undefined && { enum: choices.map(anyOf) }),
    ...extensionsOf(schema),
  };
}

const parametersOf = (all: unknown) =>
  ((all ?? []) as readonly Json[]).map((one) => {
    if (one["in"] === "body") {
      return { parameter: { body: { ...one, schema: schemaOf(one["schema"] as Json) } } };
    }
    return { parameter: { nonBody: { [one["in"] === "path" ? "path" : "query"]: one } } };
  });

const pathItemOf = ({ parameters: shared, ...operations }: Json): Json => ({
  ...mapped(operations, (one) => ({
    ...one,
    parameters: parametersOf(one["parameters"]),
    responses: mapped(one["responses"], ({ schema, ...answer }) => ({
      response: {
        ...answer,
        ...(schema !== undefined && { schema: schemaOf(schema as Json) }),
      },
    })),
    ...extensionsOf(one),
  })),
  parameters: parametersOf(shared),
});
