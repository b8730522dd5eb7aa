/** Any value of a shape, for properties: whatever its type lets through, allowed or not. */
import * as fc from "fast-check";
import type { Field, Shape } from "./shape.ts";

export type AnyOptions = {
  /** Fields that a message may leave out; by default none is. */
  readonly sparse?: boolean;
  /** The messages that it lies in: one that holds itself is empty within itself. */
  readonly within?: readonly (readonly Field[])[];
};

/** Nothing is empty: a decoder cannot tell that from what was not written. */
export function anyOf(shape: Shape, options: AnyOptions = {}): fc.Arbitrary<unknown> {
  switch (shape.type) {
    case "object":
      return anyObject(shape.fields, options);
    case "list":
      return fc.array(anyOf(shape.items, options), { minLength: 1, maxLength: 2 });
    case "map":
      return fc.dictionary(anyText, anyOf(shape.values, options), { minKeys: 1, maxKeys: 3 });
    case "boolean":
      return fc.constant(true);
    case "either":
      return fc.oneof(...shape.options.map((option) => anyOf(option, options)));
    case "number":
      return fc.constantFrom(1.5, -2, 1e300);
    case "integer":
      return shape.meta.format === "int64" ? anyInt64 : anyInt32;
    case "string":
    case "any":
      return shape.values === undefined
        ? (leaves[String(shape.meta.format)] ?? anyText)
        : fc.constantFrom(...shape.values.filter((value) => value !== ""));
    default:
      return shape satisfies never;
  }
}

function anyObject(fields: readonly Field[], options: AnyOptions): fc.Arbitrary<unknown> {
  const known = fields.filter(
    ({ name, shape }) => name !== "apiVersion" && name !== "kind" && !isEmpty(shape),
  );
  const { within = [] } = options;
  if (within.includes(fields)) return fc.constant({});
  const inner = { ...options, within: [...within, fields] };
  const model = Object.fromEntries(known.map(({ name, shape }) => [name, anyOf(shape, inner)]));
  return options.sparse === true ? fc.record(model, { requiredKeys: [] }) : fc.record(model);
}

/** The namespace of what has none. */
const isEmpty = (shape: Shape): boolean =>
  shape.type === "string" && shape.values?.every((value) => value === "") === true;

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
  fc.constantFrom("web", "é", "😀", "x".repeat(200), "ü".repeat(100), "__proto__x"),
);
const anyInt32 = fc.oneof(
  fc.constantFrom(1, 127, 128, 300, -1, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer({ min: 1 }),
);
const anyInt64 = fc.oneof(
  anyInt32,
  fc.constantFrom(2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1),
  fc.integer({ min: 2 ** 32, max: 2 ** 52 }),
);
const anySecond = fc
  .integer({ min: -62_135_596_800, max: 253_402_300_799 })
  .map((seconds) => new Date(seconds * 1_000).toISOString().slice(0, 19));

/** As it is read from a text: -0 is written as 0. */
const anyJson = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

const leaves: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "date-time": anySecond.map((text) => `${text}Z`),
  "micro-time": fc
    .tuple(anySecond, fc.integer({ min: 0, max: 999_999 }))
    .map(([text, micros]) => `${text}.${String(micros).padStart(6, "0")}Z`),
  duration: fc.integer({ min: 1, max: 1e9 }).map((ms) => `${(ms / 1_000).toFixed(3)}s`),
  quantity: fc.constantFrom("1", "500m", "128Mi", "1e3"),
  "int-or-string": fc.oneof(anyInt32, anyText),
  byte: fc
    .uint8Array({ minLength: 1, maxLength: 60 })
    .map((bytes) => Buffer.from(bytes).toString("base64")),
  json: fc.oneof(fc.constantFrom(0, false, ""), anyJson).filter((value) => value !== null),
  "fields-v1": fc.dictionary(anyText, anyJson, { minKeys: 1, maxKeys: 3 }),
};
