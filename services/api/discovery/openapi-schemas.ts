/** Schemas of kinds and messages as components of an OpenAPI v3 document. */
import { customSchema } from "./custom-schema.ts";
import * as z from "zod";
import type { Kind } from "../../../libs/model/kind.ts";
import { inner, unwrapped } from "../patch/list-schema.ts";
import { messageNamed } from "../protobuf/messages.ts";
import { deleteOptionsKind } from "../resources/delete.ts";
import { componentName, kindName, shared } from "./openapi-names.ts";

type Schema = z.core.$ZodType;
export type Json = Record<string, unknown>;

/** The components that a document holds, by their names; what is referred to is added. */
export type Components = Map<string, Json>;

export const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** A kind, with its List when objects of it are listed. @returns its name */
export function addKind(
  components: Components,
  kind: Pick<Kind, "group" | "version" | "kind" | "schema" | "custom">,
  { listed }: { readonly listed: boolean },
): string {
  const name = kindName(kind);
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  if (!components.has(name)) {
    components.set(name, {}); // It may hold itself.
    const head = objectSchema(kind.schema, components);
    const { required, ...schema } = kind.custom === undefined ? head : customSchema(kind, head);
    // A name may be generated, a namespace be in the path.
    const stated = ((required ?? []) as readonly string[]).filter((one) => one !== "metadata");
    components.set(name, {
      ...schema,
      ...(stated.length > 0 && { required: stated }),
      "x-kubernetes-group-version-kind": [gvk],
    });
  }
  if (listed) addList(components, { name, gvk });
  return name;
}

function addList(
  components: Components,
  { name, gvk }: { readonly name: string; readonly gvk: { readonly kind: string } },
): void {
  addShared(components, shared.listMeta);
  components.set(`${name}List`, {
    type: "object",
    description: `${gvk.kind}List is a list of ${gvk.kind} objects.`,
    required: ["items"],
    properties: {
      apiVersion: { type: "string", description: apiVersionText },
      kind: { type: "string", description: kindText },
      metadata: { ...refTo(shared.listMeta) },
      items: { type: "array", items: refTo(name), description: "The objects." },
    },
    "x-kubernetes-group-version-kind": [{ ...gvk, kind: `${gvk.kind}List` }],
  });
}

/** A message that is no kind of the registry, such as a Status or a Scale. */
export function addMessage(
  components: Components,
  { group, version, kind }: Pick<Kind, "group" | "version" | "kind">,
): string | undefined {
  const schema = messageNamed(group === "" ? version : `${group}/${version}`, kind);
  if (schema === undefined) return undefined;
  const typed = { ...typeMeta, ...(unwrapped(schema) as z.ZodObject).shape };
  return addKind(components, { group, version, kind, schema: z.object(typed) }, { listed: false });
}

const typeMeta = { apiVersion: z.string().optional(), kind: z.string().optional() };

/** One of the components that many documents share. */
export function addShared(components: Components, name: string): void {
  if (components.has(name)) return;
  const schema = sharedSchemas[name];
  if (schema !== undefined) components.set(name, schema);
  if (name === shared.deleteOptions) {
    components.set(name, {
      ...objectSchema(deleteOptionsKind.schema, components),
      description: "DeleteOptions may be provided when deleting an API object.",
    });
  }
  if (name === shared.status) {
    const status = messageNamed("v1", "Status");
    if (status !== undefined) components.set(name, objectSchema(status, components));
  }
}

const apiVersionText =
  "The version of the schema that the object follows; servers convert to the version they store.";
const kindText = "What the object is, in CamelCase; it follows from where it is sent to.";

const sharedSchemas: Readonly<Record<string, Json>> = {
  [shared.time]: {
    type: "string",
    format: "date-time",
    description: "A point in time to the second, in RFC 3339.",
  },
  [shared.microTime]: {
    type: "string",
    format: "date-time",
    description: "A point in time to the microsecond, in RFC 3339.",
  },
  [shared.quantity]: {
    description: "A number with an optional suffix, such as 500m, 1.5 or 128Mi.",
    oneOf: [{ type: "string" }, { type: "number" }],
  },
  [shared.intOrString]: {
    description: "A number, or text such as a port's name or a percentage.",
    format: "int-or-string",
    oneOf: [{ type: "integer" }, { type: "string" }],
  },
  [shared.fieldsV1]: { type: "object", description: "A set of fields, as a trie in JSON." },
  [shared.patch]: {
    type: "object",
    description: "A change of an object, in the form that its Content-Type names.",
  },
  [shared.listMeta]: {
    type: "object",
    description: "What is said of a list as a whole.",
    properties: {
      continue: { type: "string", description: "Where the next page begins; empty on the last." },
      remainingItemCount: { type: "integer", format: "int64" },
      resourceVersion: { type: "string", description: "The revision that the list is of." },
      selfLink: { type: "string" },
    },
  },
};

/** A field's schema: a reference where it has a name, with what is said of the field beside it. */
function fieldSchema(schema: Schema, components: Components): Json {
  const meta = metaOf(schema);
  const said = {
    ...(typeof meta["description"] === "string" && { description: meta["description"] }),
    ...Object.fromEntries(Object.entries(meta).filter(([key]) => key.startsWith("x-kubernetes-"))),
    ...defaultOf(schema),
  };
  const name = nameOf(schema, meta, components);
  if (name === undefined) return { ...typeSchema(schema, components), ...said };
  return Object.keys(said).length === 0 ? refTo(name) : { ...said, allOf: [refTo(name)] };
}

/** The component that a schema is, which is added where it is not yet known. */
function nameOf(
  schema: Schema,
  { title, format }: Readonly<Record<string, unknown>>,
  components: Components,
): string | undefined {
  const leaf = typeof format === "string" ? leaves[format] : undefined;
  if (leaf !== undefined) {
    addShared(components, leaf);
    return leaf;
  }
  const bare = unwrapped(schema);
  if (typeof title !== "string" || !(bare instanceof z.ZodObject)) return undefined;
  const name = componentName(title);
  if (!components.has(name)) {
    components.set(name, {}); // It may hold itself.
    // What is said of it is said where it is referred to.
    const { required, description: _said, ...object } = objectSchema(bare, components);
    // In Kubernetes no part of an object's metadata is required: a name may be generated.
    const stated = required !== undefined && title !== "meta.v1.ObjectMeta";
    components.set(name, stated ? { ...object, required } : object);
  }
  return name;
}

const leaves: Readonly<Record<string, string>> = {
  "date-time": shared.time,
  "micro-time": shared.microTime,
  quantity: shared.quantity,
  "int-or-string": shared.intOrString,
};

function objectSchema(schema: Schema, components: Components): Json {
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
      fields.map(([name, field]) => [name, propertySchema(name, field, components)]),
    ),
    ...(required.length > 0 && { required }),
  };
}

/** What says which kind an object is has the same description everywhere, and no default. */
function propertySchema(name: string, field: Schema, components: Components): Json {
  const bare = unwrapped(field);
  if (name === "apiVersion" && bare instanceof z.ZodLiteral) {
    return { type: "string", description: apiVersionText };
  }
  if (name === "kind" && bare instanceof z.ZodLiteral) {
    return { type: "string", description: kindText };
  }
  return fieldSchema(field, components);
}

function typeSchema(schema: Schema, components: Components): Json {
  const { format } = metaOf(schema);
  if (format === "json") return {}; // Anything.
  const form = typeof format === "string" && openFormats.has(format) ? { format } : {};
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodObject) return objectSchema(bare, components);
  if (bare instanceof z.ZodArray) {
    return { type: "array", items: fieldSchema(bare.element, components) };
  }
  if (bare instanceof z.ZodRecord) {
    if (format !== undefined) return { type: "object" };
    return { type: "object", additionalProperties: fieldSchema(bare.valueType, components) };
  }
  if (bare instanceof z.ZodNumber) {
    const whole = format !== "double" && (format !== undefined || bare.isInt);
    return { type: whole ? "integer" : "number", ...form };
  }
  if (bare instanceof z.ZodBoolean) return { type: "boolean" };
  if (bare instanceof z.ZodEnum) return { type: "string", enum: bare.options };
  if (bare instanceof z.ZodUnknown || bare instanceof z.ZodAny) return { type: "object" };
  if (bare instanceof z.ZodUnion) return {}; // As Kubernetes says it.
  return { type: "string", ...form };
}

const openFormats = new Set(["int32", "int64", "double", "byte"]);

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
