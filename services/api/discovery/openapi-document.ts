/**
 * OpenAPI v3 of one group and version, derived from the kinds' schemas: what `kubectl explain` prints,
 * what client-side apply merges by, and which parameters a write takes.
 */
import * as z from "zod";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { customName, customSchema } from "./custom-schema.ts";
import { rootsOf } from "../http/resource-routes.ts";
import { metricsKinds } from "../metrics/metrics-kinds.ts";
import { inner, unwrapped } from "../patch/list-schema.ts";

type Schema = z.core.$ZodType;
type Json = Record<string, unknown>;

export function openApiDocument(kinds: readonly Kind[]): Json {
  const components = new Map<string, Json>();
  const paths = Object.fromEntries(kinds.flatMap((kind) => pathsOf(kind, components)));
  const schemas = Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    openapi: "3.0.0",
    info: { title: "Berth", version: "v1.36.0" },
    paths,
    components: { schemas },
  };
}

function pathsOf(kind: Kind, components: Map<string, Json>): readonly (readonly [string, Json])[] {
  const { group, version } = kind;
  const gvk = { group, version, kind: kind.kind };
  const built = `io.k8s.api.${group === "" ? "core" : (group.split(".")[0] ?? "")}.${version}.${kind.kind}`;
  const name = kind.custom === undefined ? built : customName(kind);
  const schema = objectSchema(kind.schema, components);
  components.set(name, {
    ...(kind.custom === undefined ? schema : customSchema(kind, schema)),
    "x-kubernetes-group-version-kind": [gvk],
  });
  const content = { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
  const answer = { responses: { "200": { description: "OK", content } } };
  const operation = (action: string, parameters: readonly string[], body: boolean): Json => ({
    ...answer,
    parameters: parameters.map((one) => ({ name: one, in: "query", schema: { type: "string" } })),
    ...(body && { requestBody: { content } }),
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk,
  });
  const readOnly = metricsKinds.includes(kind);
  const { own } = rootsOf(kind);
  const written = (path: string) => path.replaceAll(/:(\w+)/g, "{$1}");
  return [
    [
      written(own),
      {
        get: operation("list", listParameters, false),
        ...(!readOnly && { post: operation("post", writeParameters, true) }),
      },
    ],
    [
      written(`${own}/:name`),
      {
        get: operation("get", [], false),
        ...(!readOnly && {
          put: operation("put", writeParameters, true),
          patch: operation("patch", [...writeParameters, "force"], true),
          delete: operation("delete", ["dryRun", "gracePeriodSeconds", "propagationPolicy"], false),
        }),
      },
    ],
  ];
}

const writeParameters = ["dryRun", "fieldManager", "fieldValidation"];
const listParameters = [
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "watch",
];

/** A field's schema: a reference where it has a title, with what is said of the field beside it. */
function fieldSchema(schema: Schema, components: Map<string, Json>): Json {
  const meta = metaOf(schema);
  const said = {
    ...(typeof meta["description"] === "string" && { description: meta["description"] }),
    ...Object.fromEntries(Object.entries(meta).filter(([key]) => key.startsWith("x-kubernetes-"))),
    ...defaultOf(schema),
  };
  const { title } = meta;
  const bare = unwrapped(schema);
  if (typeof title !== "string" || !(bare instanceof z.ZodObject)) {
    return { ...typeSchema(schema, components), ...said };
  }
  const name = componentName(title);
  if (!components.has(name)) {
    components.set(name, {}); // It may hold itself.
    components.set(name, objectSchema(bare, components));
  }
  return { ...said, allOf: [{ $ref: `#/components/schemas/${name}` }] };
}

const componentName = (title: string) =>
  title.startsWith("meta.") ? `io.k8s.apimachinery.pkg.apis.${title}` : `io.k8s.api.${title}`;

function objectSchema(schema: Schema, components: Map<string, Json>): Json {
  const bare = unwrapped(schema);
  if (!(bare instanceof z.ZodObject)) return { type: "object" };
  const shape = bare.shape as Record<string, Schema>; // As zod types it.
  const fields = Object.entries(shape);
  const required = fields
    .filter(([, field]) => field._zod.optin === undefined)
    .map(([name]) => name);
  const { description } = metaOf(schema);
  return {
    type: "object",
    ...(typeof description === "string" && { description }),
    properties: Object.fromEntries(
      fields.map(([name, field]) => [name, fieldSchema(field, components)]),
    ),
    ...(required.length > 0 && { required }),
  };
}

function typeSchema(schema: Schema, components: Map<string, Json>): Json {
  const { format } = metaOf(schema);
  if (format === "int-or-string") {
    return { format, oneOf: [{ type: "integer" }, { type: "string" }] };
  }
  if (format === "json") return {};
  const form = typeof format === "string" && format !== "fields-v1" ? { format } : {};
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodObject) return objectSchema(bare, components);
  if (bare instanceof z.ZodArray)
    return { type: "array", items: fieldSchema(bare.element, components) };
  if (bare instanceof z.ZodRecord) {
    return { type: "object", additionalProperties: fieldSchema(bare.valueType, components) };
  }
  if (bare instanceof z.ZodNumber) {
    const whole = form.format !== "double";
    return { type: whole ? "integer" : "number", ...form };
  }
  if (bare instanceof z.ZodBoolean) return { type: "boolean" };
  if (bare instanceof z.ZodEnum) return { type: "string", enum: bare.options };
  if (bare instanceof z.ZodUnknown) return { type: "object" };
  if (bare instanceof z.ZodUnion) return {}; // As Kubernetes says it: anything.
  return { type: "string", ...form };
}

/** A default that is a plain value; what a default object holds is told by its fields. */
function defaultOf(schema: Schema): Json {
  for (let at: Schema | undefined = schema; at !== undefined; at = inner(at)) {
    if (!(at instanceof z.ZodDefault)) continue;
    const value: unknown = at.def.defaultValue;
    return ["string", "number", "boolean"].includes(typeof value) ? { default: value } : {};
  }
  return {};
}

/** Metadata of a schema and of all that it wraps; the outer wins. */
function metaOf(schema: Schema): Readonly<Record<string, unknown>> {
  let all: Record<string, unknown> = {};
  for (let at: Schema | undefined = schema; at !== undefined; at = inner(at)) {
    all = { ...z.globalRegistry.get(at), ...all };
  }
  return all;
}

/** Where a group and version's document is, below `/openapi/v3/`. */
export const openApiPath = (kind: Pick<Kind, "group" | "version">): string =>
  kind.group === "" ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;
