/**
 * What a decoder makes of a value that somebody wrote: which members are of a type that the schema's
 * field cannot hold, and which the schema does not know. Whether a value of the right type is allowed
 * is the schema's own business, afterwards.
 */
import type * as z from "zod";
import { base64Fault, isBase64, isInt32 } from "./field.ts";
import { isQuantity, quantityFault } from "./quantity.ts";
import { type Field, type Shape, shapeOf } from "./shape.ts";
import { isTime, timeFault } from "./time.ts";

export type Path = readonly (string | number)[];
export type Mistyped = { readonly path: Path; readonly message: string };
export type Conformed = {
  /** Without what is `null` and without unknown members, in one pass; the input stays as it is. */
  readonly value: unknown;
  /** At most `faultsMax` are kept, of each. */
  readonly unknown: readonly Path[];
  readonly mistyped: readonly Mistyped[];
};

/** Kubernetes' own bound of what a strict decoder reports. */
const faultsMax = 100;

/** Never throws; a value that fits the schema's types has neither `unknown` nor `mistyped`. */
export function conform(schema: z.core.$ZodType, value: unknown): Conformed {
  const found = { unknown: [] as Path[], mistyped: [] as Mistyped[] };
  const conformed = visit(compiled(schema), value, { ...found, path: [] });
  return { value: conformed, ...found };
}

/** A schema's shape is derived once. */
const shapes = new WeakMap<z.core.$ZodType, Shape>();
function compiled(schema: z.core.$ZodType): Shape {
  const known = shapes.get(schema) ?? shapeOf(schema);
  shapes.set(schema, known);
  return known;
}

const fieldsOf = new WeakMap<Shape, ReadonlyMap<string, Field>>();
function fieldsByName(shape: Extract<Shape, { type: "object" }>): ReadonlyMap<string, Field> {
  const known = fieldsOf.get(shape) ?? new Map(shape.fields.map((one) => [one.name, one]));
  fieldsOf.set(shape, known);
  return known;
}

/** Where the walk is: `path` is changed in place, and copied where it is reported. */
type Walk = {
  readonly unknown: Path[];
  readonly mistyped: Mistyped[];
  readonly path: (string | number)[];
};

function visit(shape: Shape, value: unknown, walk: Walk): unknown {
  if (value === null || value === undefined) return value;
  switch (shape.type) {
    case "object":
      return isMap(value)
        ? visitObject(shape, value, walk)
        : mistyped(walk, mustBe("an object", value), value);
    case "map":
      return isMap(value)
        ? visitMap(shape.values, value, walk)
        : mistyped(walk, mustBe("an object", value), value);
    case "list":
      return Array.isArray(value)
        ? visitList(shape.items, value, walk)
        : mistyped(walk, mustBe("a list", value), value);
    case "either": {
      const option = shape.options.find((one) => fits(one, value));
      return option === undefined
        ? mistyped(walk, mustBe(shape.options.map(nameOf).join(" or "), value), value)
        : visit(option, value, walk);
    }
    case "string":
    case "integer":
    case "number":
    case "boolean":
    case "any": {
      const fault = faultOf(shape, value);
      return fault === undefined ? value : mistyped(walk, fault, value);
    }
    default:
      return shape satisfies never;
  }
}

function visitObject(
  shape: Extract<Shape, { type: "object" }>,
  value: Readonly<Record<string, unknown>>,
  walk: Walk,
): unknown {
  const fields = fieldsByName(shape);
  const kept: (readonly [string, unknown])[] = [];
  for (const [name, member] of Object.entries(value)) {
    const field = fields.get(name);
    walk.path.push(name);
    if (field === undefined) report(walk.unknown, [...walk.path]);
    else if (member !== null) kept.push([name, visit(field.shape, member, walk)]);
    walk.path.pop();
  }
  return Object.fromEntries(kept);
}

function visitMap(values: Shape, value: Readonly<Record<string, unknown>>, walk: Walk): unknown {
  const kept: (readonly [string, unknown])[] = [];
  for (const [name, member] of Object.entries(value)) {
    walk.path.push(name);
    // Everything between here and the store copies objects by assignment, which would lose it.
    if (name === "__proto__") mistyped(walk, "is no key that can be kept", member);
    else if (member !== null) kept.push([name, visit(values, member, walk)]);
    walk.path.pop();
  }
  return Object.fromEntries(kept);
}

/** An item that is `null` is there, and empty: a dash with nothing after it, in YAML. */
function visitList(items: Shape, value: readonly unknown[], walk: Walk): unknown {
  return value.map((item, nth) => {
    walk.path.push(nth);
    const conformed = item === null ? emptyOf(items) : visit(items, item, walk);
    walk.path.pop();
    return conformed;
  });
}

/** Whether a value is of an option's JSON type; what is in it is another question. */
function fits({ type }: Shape, value: unknown): boolean {
  if (type === "object" || type === "map") return isMap(value);
  if (type === "list") return Array.isArray(value);
  if (type === "integer" || type === "number") return typeof value === "number";
  return type === "any" || type === "either" || typeof value === type;
}

function nameOf({ type }: Shape): string {
  if (type === "object" || type === "map") return "an object";
  return type === "integer" ? "an integer" : `a ${type}`;
}

function emptyOf(shape: Shape): unknown {
  if (shape.type === "object" || shape.type === "map") return {};
  return shape.type === "list" ? [] : shape.type === "string" ? "" : null;
}

/** What is wrong with a leaf, if anything is. */
function faultOf({ type, meta }: Shape, value: unknown): string | undefined {
  const isText = typeof value === "string";
  switch (meta.format) {
    case "int32":
      if (isInt32(value)) return undefined;
      return Number.isInteger(value) ? "must fit in 32 bits" : mustBe("an integer", value);
    case "date-time":
    case "micro-time":
      if (!isText) return mustBe("a string", value);
      // Empty is absent: Go clients write it.
      return value === "" || isTime(value) ? undefined : timeFault;
    case "quantity":
      if (!isText && typeof value !== "number") return mustBe("a quantity", value);
      return isQuantity(value) ? undefined : quantityFault;
    case "int-or-string":
      return isText || isInt32(value) ? undefined : mustBe("an integer or a string", value);
    case "json":
      return undefined;
    case "fields-v1":
      return isMap(value) ? undefined : mustBe("an object", value);
    case "byte":
      if (!isText) return mustBe("a string", value);
      return isBase64(value) ? undefined : base64Fault;
    default:
  }
  if (type === "string") return isText ? undefined : mustBe("a string", value);
  if (type === "boolean")
    return typeof value === "boolean" ? undefined : mustBe("a boolean", value);
  if (type === "number") return typeof value === "number" ? undefined : mustBe("a number", value);
  return Number.isSafeInteger(value) ? undefined : mustBe("an integer", value);
}

/** Says what the value is, never what it holds: it may be a Secret's. */
const mustBe = (wanted: string, value: unknown) => `must be ${wanted}, but is ${typeNamed(value)}`;

function typeNamed(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "number" && !Number.isInteger(value)) return "a fraction";
  return `a ${typeof value}`;
}

function mistyped(walk: Walk, message: string, value: unknown): unknown {
  report(walk.mistyped, { path: [...walk.path], message });
  return value;
}

function report<T>(faults: T[], fault: T): void {
  if (faults.length < faultsMax) faults.push(fault);
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
