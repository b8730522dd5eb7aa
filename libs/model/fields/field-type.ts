/**
 * What there is to know of data in order to say who manages which part of it: which objects have
 * fields of their own, which lists have items of their own, and what is one whole. It comes from a
 * kind's schema (`shape-type.ts`) or from an OpenAPI schema (`openapi-type.ts`).
 */

/** Types may hold themselves, so what they hold is asked for. */
export type FieldType =
  | { readonly type: "scalar"; readonly holds: "string" | "number" | "boolean" | "any" }
  | ListType
  | ObjectType
  /** Nobody says what it is: what the value shows. */
  | { readonly type: "untyped" };

export type ListType = {
  readonly type: "list";
  /** `set`: scalars, each once. `map`: objects, one for each value of their keys. */
  readonly relation: "atomic" | "set" | "map";
  readonly keys: readonly string[];
  readonly items: () => FieldType;
};

export type ObjectType = {
  readonly type: "object";
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, Member>;
  /** Of members that are no fields; undefined: there are none. */
  readonly values: (() => FieldType) | undefined;
};

export type Member = {
  readonly type: () => FieldType;
  /** What it is when nobody states it: a part of an item's key may be left out. */
  readonly default?: string | number | boolean | undefined;
  /** Whether every object has it, be it empty: nobody adds it. */
  readonly always?: boolean | undefined;
};

export const untyped: FieldType = { type: "untyped" };
export const scalar: FieldType = { type: "scalar", holds: "any" };

/** A type with its own parts, for a value that is of that form; everything else is a leaf. */
export type Form = ListType | ObjectType | "leaf";

/** How `value` is seen as `type`: one without parts of its own is a leaf. */
export function formOf(type: FieldType, value: unknown): Form {
  if (Array.isArray(value))
    return type.type === "list" && type.relation !== "atomic" ? type : "leaf";
  if (!isObject(value)) return "leaf";
  if (type.type === "untyped") return deduced;
  return type.type === "object" && !type.atomic ? type : "leaf";
}

const deduced: ObjectType = {
  type: "object",
  atomic: false,
  fields: new Map(),
  values: () => untyped,
};

/** The type of an object's member; untyped where the type does not know it. */
export const memberType = (type: ObjectType, name: string): FieldType =>
  type.fields.get(name)?.type() ?? type.values?.() ?? untyped;

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const own = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;
