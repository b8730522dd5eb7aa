/** What a schema says of its data, for whoever derives something else from it. */
import * as z from "zod";

type Base = { readonly meta: z.GlobalMeta };
export type Field = {
  readonly name: string;
  readonly shape: Shape;
  /** Whether a user must state it. */
  readonly required: boolean;
  /** What it is when it is not stated; undefined when that is nothing, or an object. */
  readonly default: string | number | boolean | undefined;
};
export type Shape =
  | (Base & { readonly type: "object"; readonly fields: readonly Field[] })
  | (Base & { readonly type: "list"; readonly items: Shape })
  | (Base & { readonly type: "map"; readonly values: Shape })
  | (Base & {
      readonly type: "string" | "integer" | "boolean" | "any";
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
    const fields = Object.entries(bare.shape);
    return { type: "object", fields: fields.map(([name, field]) => fieldOf(name, field)), meta };
  }
  if (bare instanceof z.ZodArray) return { type: "list", items: shapeOf(bare.element), meta };
  if (bare instanceof z.ZodRecord) return { type: "map", values: shapeOf(bare.valueType), meta };
  if (bare instanceof z.ZodBoolean) return { type: "boolean", meta };
  if (bare instanceof z.ZodEnum) return { type: "string", values: bare.options.map(String), meta };
  if (bare instanceof z.ZodLiteral)
    return { type: "string", values: [...bare.values].map(String), meta };
  if (bare instanceof z.ZodString || bare instanceof z.ZodStringFormat)
    return { type: "string", meta };
  throw new TypeError(`a kind's schema holds a ${bare._zod.def.type} without a format`);
}

/** Leaves that say what they are by their format. */
const formats: Readonly<Record<string, "string" | "integer" | "any">> = {
  int32: "integer",
  int64: "integer",
  byte: "string",
  "date-time": "string",
  "micro-time": "string",
  duration: "string",
  quantity: "any",
  "int-or-string": "any",
  "fields-v1": "any",
};

const fieldOf = (name: string, schema: z.core.$ZodType): Field => ({
  name,
  shape: shapeOf(schema),
  required: schema._zod.optin === undefined,
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
