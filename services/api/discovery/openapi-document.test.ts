import { describe, expect, test } from "vitest";
import { apiVersionOf } from "../../../libs/model/kind.ts";
import { kinds } from "../../../libs/model/registry.ts";
import { type Shape, shapeOf } from "../../../libs/model/shape.ts";
import { kindName } from "./openapi-names.ts";
import { resourcesOf } from "./discovery.ts";
import { openApiDocument } from "./openapi-document.ts";

type Json = { readonly [key: string]: Json } & { readonly $ref?: string; readonly type?: string };
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
};
type Operation = {
  readonly parameters: readonly { readonly name: string }[];
  readonly "x-kubernetes-group-version-kind": object;
};

const inAllVersions = kinds.flatMap((kind) => [kind, ...kind.versions]);

describe.each(inAllVersions.map((kind) => ({ name: kind.kind, version: kind.version, kind })))(
  "$name in $version",
  ({ kind }) => {
    const document = openApiDocument(resourcesOf([kind]).slice(0, 1), [
      kind,
    ]) as unknown as Document; // As it is served.
    const { schemas } = document.components;
    const own = schemas[kindName(kind)];

    test("is described as its decoder reads it: every field, with its type", () => {
      expect(differences(kind.kind, shapeOf(kind.schema), own, schemas)).toEqual([]);
    });

    test("has its references", () => {
      const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/([^"]+)/g)];
      expect(names.filter(([, name = ""]) => !(name in schemas))).toEqual([]);
    });

    test("lets kubectl see that the server validates its fields", () => {
      const writes = Object.entries(document.paths).flatMap(([path, item]) =>
        /\/(status|scale|binding|eviction|exec|explain|attach|log|token|approval|proxy|portforward)$/.test(
          path,
        )
          ? []
          : ["post", "put", "patch"].flatMap((method) => item[method] ?? []),
      );
      expect(writes.length).toBeGreaterThanOrEqual(3);
      for (const { parameters, ...operation } of writes) {
        expect(parameters.map(({ name }) => name)).toContain("fieldValidation");
        expect(operation["x-kubernetes-group-version-kind"]).toEqual({
          group: kind.group,
          version: kind.version,
          kind: kind.kind,
        });
      }
      expect(apiVersionOf(kind)).not.toBe("");
    });
  },
);

/** Where a document and what the decoder goes by say different things. */
function differences(
  at: string,
  shape: Shape,
  given: Json | undefined,
  schemas: Document["components"]["schemas"],
  outer: readonly unknown[] = [],
): readonly string[] {
  if (given === undefined) return [`${at} is missing`];
  const schema = resolved(given, schemas);
  switch (shape.type) {
    case "object": {
      if (outer.includes(shape.fields)) return []; // A message that holds itself.
      const within = [...outer, shape.fields];
      const properties = schema["properties"] ?? {};
      const extra = Object.keys(properties).filter(
        (name) => !shape.fields.some((field) => field.name === name),
      );
      return [
        ...(schema.type === "object" ? [] : [`${at} is no object`]),
        ...extra.map((name) => `${at}.${name} is unknown`),
        ...shape.fields.flatMap((field) =>
          differences(`${at}.${field.name}`, field.shape, properties[field.name], schemas, within),
        ),
      ];
    }
    case "list":
      return schema.type === "array"
        ? differences(`${at}[]`, shape.items, schema["items"], schemas, outer)
        : [`${at} is no list`];
    case "map":
      return schema.type === "object"
        ? differences(`${at}{}`, shape.values, schema["additionalProperties"], schemas, outer)
        : [`${at} is no map`];
    case "either":
    case "any":
      return []; // Its format says what it is.
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return schema.type === shape.type ? [] : [`${at} is no ${shape.type}`];
    default:
      return shape satisfies never;
  }
}

function resolved(schema: Json, schemas: Document["components"]["schemas"]): Json {
  const all = schema["allOf"];
  const first = Array.isArray(all) ? (all as unknown as readonly Json[])[0] : undefined; // A list of one.
  const name = (schema.$ref ?? first?.$ref)?.split("/").at(-1);
  return name === undefined ? schema : (schemas[name] ?? schema);
}
