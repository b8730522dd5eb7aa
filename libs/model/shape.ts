/** What a schema says of its data, for whoever derives something else from it. */
import * as z from "zod";

type Base = { readonly meta: z.GlobalMeta };
export type Field = {
  readonly name: string;
  readonly shape: Shape;
  /** Whether a user must state it. */
  readonly required: boolean;
  /** Whether it is there in any case: stated, or by a default. */
  readonly filled: boolean;
  /** What it is when it is not stated; undefined when that is nothing, or an object. */
  readonly default: string | number | boolean | undefined;
};
export type Shape =
  /** Its fields are derived when they are asked for: a message may hold itself. */
  | (Base & { readonly type: "object"; readonly fields: readonly Field[] })
  | (Base & { readonly type: "list"; readonly items: Shape })
  | (Base & { readonly type: "map"; readonly values: Shape })
  /** One of several, told apart by their JSON types: a schema or a boolean. */
  | (Base & { readonly type: "either"; readonly options: readonly Shape[] })
  | (Base & {
      readonly type: "string" | "integer" | "number" | "boolean" | "any";
      readonly values?: readonly string[];
    });

/**
 * Metadata of the wrappers (optional, default ...) comes before that of what they wrap.
 *
 * @throws {TypeError} for a schema that no kind may use, such as a union without a format
 */
export function shapeOf(schema: z.core.$ZodType): Shape {
  const { bare, meta } = unwrap(schema);
  if (typeof meta.format === "string" && formats[meta.format] !== undefined) {
    return { type: formats[meta.format] ?? "any", meta };
  }
  if (bare instanceof z.ZodObject) {
    return {
      type: "object",
      get fields() {
        return fieldsIn(bare);
      },
      meta,
    };
  }
  if (bare instanceof z.ZodUnion)
    return { type: "either", options: bare.options.map(shapeOf), meta };
  if (bare instanceof z.ZodArray) return { type: "list", items: shapeOf(bare.element), meta };
  if (bare instanceof z.ZodRecord) return { type: "map", values: shapeOf(bare.valueType), meta };
  if (bare instanceof z.ZodNever) return { type: "any", meta }; // A status that there is not.
  if (bare instanceof z.ZodBoolean) return { type: "boolean", meta };
  if (bare instanceof z.ZodEnum) return { type: "string", values: bare.options.map(String), meta };
  if (bare instanceof z.ZodLiteral)
    return { type: "string", values: [...bare.values].map(String), meta };
  if (bare instanceof z.ZodString || bare instanceof z.ZodStringFormat)
    return { type: "string", meta };
  throw new TypeError(`a kind's schema holds a ${bare._zod.def.type} without a format`);
}

const fieldsKnown = new WeakMap<z.ZodObject, readonly Field[]>();
function fieldsIn(object: z.ZodObject): readonly Field[] {
  const known =
    fieldsKnown.get(object) ??
    Object.entries(object.shape).map(([name, field]) => fieldOf(name, field));
  fieldsKnown.set(object, known);
  return known;
}

/** Leaves that say what they are by their format. */
const formats: Readonly<Record<string, "string" | "integer" | "number" | "any">> = {
  int32: "integer",
  int64: "integer",
  double: "number",
  byte: "string",
  "date-time": "string",
  "micro-time": "string",
  quantity: "any",
  "int-or-string": "any",
  "fields-v1": "any",
  json: "any",
};

const fieldOf = (name: string, schema: z.core.$ZodType): Field => ({
  name,
  shape: shapeOf(schema),
  required: schema._zod.optin === undefined,
  filled: schema._zod.optout === undefined,
  default: defaultOf(schema),
});

function defaultOf(schema: z.core.$ZodType): Field["default"] {
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = wrapped(at)) {
    if (!(at instanceof z.ZodDefault)) continue;
    const value: unknown = at.def.defaultValue;
    const plain =
      typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return plain ? value : undefined;
  }
  return undefined;
}

function unwrap(schema: z.core.$ZodType): {
  readonly bare: z.core.$ZodType;
  readonly meta: z.GlobalMeta;
} {
  const metas: z.GlobalMeta[] = [];
  let bare = schema;
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = wrapped(at)) {
    metas.unshift(z.globalRegistry.get(at) ?? {});
    bare = at;
  }
  return { bare, meta: Object.assign({}, ...metas) as z.GlobalMeta }; // Merged from such.
}

/** What a wrapper wraps; of a preprocessing pipe its result, of a transforming one what it takes. */
function wrapped(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodLazy) return schema.unwrap();
  if (schema instanceof z.ZodPipe) {
    return schema.in instanceof z.ZodTransform ? schema.out : schema.in;
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return schema.unwrap();
  }
  return undefined;
}
