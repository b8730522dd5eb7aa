/** All OpenAPI v3 documents as one of v2 (Swagger), which older clients and `kubectl apply` read. */
import type { Json } from "./openapi-schemas.ts";

type Document = {
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
};

/** @param documents as `openApiDocument` makes them */
export function openApiV2(documents: readonly Json[]): Json {
  const all = documents as unknown as readonly Document[]; // As they are made.
  const definitions = Object.assign({}, ...all.map(({ components }) => components.schemas)) as Json;
  const paths = Object.assign({}, ...all.map((one) => one.paths)) as Readonly<Record<string, Json>>;
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "v1.36.0" },
    paths: sortedMap(paths, pathItem),
    definitions: sortedMap(definitions as Readonly<Record<string, Json>>, definition),
    securityDefinitions: {
      BearerToken: { type: "apiKey", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
}

function sortedMap(map: Readonly<Record<string, Json>>, make: (value: Json) => Json): Json {
  const names = Object.keys(map).toSorted();
  return Object.fromEntries(names.map((name) => [name, make(map[name] ?? {})]));
}

/** v2 knows no alternatives: what may be a number or a text is a text with a format. */
function definition(schema: Json): Json {
  const { allOf, oneOf, $ref, properties, items, additionalProperties, ...rest } = schema;
  const [single] = (allOf ?? []) as readonly Json[]; // One, by which a reference gets siblings.
  const reference = $ref ?? single?.["$ref"];
  return {
    ...rest,
    ...(oneOf !== undefined && { type: "string" }),
    ...(reference !== undefined && { $ref: renamed(String(reference)) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties as Readonly<Record<string, Json>>).map(([name, one]) => [
          name,
          definition(one),
        ]),
      ),
    }),
    ...(items !== undefined && { items: definition(items as Json) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: definition(additionalProperties as Json),
    }),
  };
}

const renamed = (reference: string) => reference.replace("#/components/schemas/", "#/definitions/");

function pathItem(item: Json): Json {
  const { parameters, ...operations } = item;
  return {
    ...sortedMap(operations as Readonly<Record<string, Json>>, operation),
    parameters: flat(parameters),
  };
}

function operation({ parameters, requestBody, responses, ...rest }: Json): Json {
  const { content, required } = (requestBody ?? {}) as { content?: Json; required?: boolean };
  const answers = responses as Readonly<Record<string, { content?: Json; description: string }>>;
  const schema = schemaIn(content);
  const body = { name: "body", in: "body", schema, ...(required === true && { required }) };
  return {
    ...rest,
    consumes: Object.keys(content ?? { "*/*": {} }),
    produces: Object.keys(answers["200"]?.content ?? {}),
    schemes: ["https"],
    parameters: [...(content === undefined ? [] : [body]), ...flat(parameters)],
    responses: Object.fromEntries(
      Object.entries(answers).map(([code, answer]) => {
        const shown = answer.content === undefined ? {} : { schema: schemaIn(answer.content) };
        return [code, { description: answer.description, ...shown }];
      }),
    ),
  };
}

function schemaIn(content: Json | undefined): Json {
  const [first] = Object.values(content ?? {}) as readonly { schema?: Json }[];
  return definition(first?.schema ?? { type: "object" });
}

const flat = (parameters: unknown): readonly Json[] =>
  ((parameters ?? []) as readonly Json[]).map(({ schema, ...parameter }) => ({
    ...parameter,
    ...(schema as Json),
  }));
