/** Schemas of users' kinds, each with an object and what becomes of it. */
import type { JsonSchema } from "../../../libs/model/extensions/json-schema.ts";
import { withSpec } from "./custom-fixture.ts";

export const string: JsonSchema = { type: "string" };
export const integer: JsonSchema = { type: "integer" };
const nested = (schema: JsonSchema, rest: JsonSchema = {}) => withSpec({ a: schema }, rest);

type Row = {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly spec: unknown;
  /** What is refused; absent: it is taken. */
  readonly refused?: readonly string[];
  /** As it is stored. */
  readonly kept?: unknown;
  readonly warned?: readonly string[];
};

export const rules = (
  ...list: NonNullable<JsonSchema["x-kubernetes-validations"]>
): JsonSchema => ({
  "x-kubernetes-validations": list,
});

export const rows: readonly Row[] = [
  {
    name: "a wrong type",
    schema: nested(integer),
    spec: { a: "string" },
    refused: ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
  },
  {
    name: "an object in place of a list",
    schema: nested({ type: "array", items: string }),
    spec: { a: {} },
    refused: ['spec.a: Invalid value: "object": spec.a in body must be of type array: "object"'],
  },
  {
    name: "a fraction in place of an integer",
    schema: nested(integer),
    spec: { a: 1.5 },
    refused: ['spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"'],
  },
  { name: "an integer as a number", schema: nested({ type: "number" }), spec: { a: 2 } },
  {
    name: "what is required",
    schema: nested(string, { required: ["a"] }),
    spec: {},
    refused: ["spec.a: Required value"],
  },
  {
    name: "a value outside of an enumeration",
    schema: nested({ type: "string", enum: ["red", "blue"] }),
    spec: { a: "green" },
    refused: ['spec.a: Unsupported value: "green": supported values: "red", "blue"'],
  },
  {
    name: "a text that is too long",
    schema: nested({ type: "string", maxLength: 3 }),
    spec: { a: "abcd" },
    refused: ["spec.a: Too long: may not be more than 3 bytes"],
  },
  {
    name: "a text that is too short",
    schema: nested({ type: "string", minLength: 3 }),
    spec: { a: "ab" },
    refused: ['spec.a: Invalid value: "ab": spec.a in body should be at least 3 chars long'],
  },
  {
    name: "a text against its pattern",
    schema: nested({ type: "string", pattern: "^[a-z]+$" }),
    spec: { a: "A" },
    refused: [`spec.a: Invalid value: "A": spec.a in body should match '^[a-z]+$'`],
  },
  {
    name: "a number below its minimum",
    schema: nested({ type: "integer", minimum: 1 }),
    spec: { a: 0 },
    refused: ["spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1"],
  },
  {
    name: "a number at its exclusive maximum",
    schema: nested({ type: "integer", maximum: 5, exclusiveMaximum: true }),
    spec: { a: 5 },
    refused: ["spec.a: Invalid value: 5: spec.a in body should be less than 5"],
  },
  {
    name: "a number that is no multiple",
    schema: nested({ type: "integer", multipleOf: 2 }),
    spec: { a: 3 },
    refused: ["spec.a: Invalid value: 3: spec.a in body should be a multiple of 2"],
  },
  {
    name: "too many items",
    schema: nested({ type: "array", items: string, maxItems: 1 }),
    spec: { a: ["x", "y"] },
    refused: ["spec.a: Too many: 2: must have at most 1 items"],
  },
  {
    name: "too few items",
    schema: nested({ type: "array", items: string, minItems: 1 }),
    spec: { a: [] },
    refused: ["spec.a: Invalid value: 0: spec.a in body should have at least 1 items"],
  },
  {
    name: "too many properties",
    schema: nested({ type: "object", additionalProperties: string, maxProperties: 1 }),
    spec: { a: { x: "1", y: "2" } },
    refused: ["spec.a: Too many: 2: must have at most 1 items"],
  },
  {
    name: "an item of the wrong type, by its index",
    schema: nested({ type: "array", items: integer }),
    spec: { a: [1, "x"] },
    refused: [
      'spec.a[1]: Invalid value: "string": spec.a[1] in body must be of type integer: "string"',
    ],
  },
  {
    name: "a format",
    schema: nested({ type: "string", format: "date-time" }),
    spec: { a: "yesterday" },
    refused: [
      'spec.a: Invalid value: "yesterday": spec.a in body must be of type date-time: "yesterday"',
    ],
  },
  {
    name: "a format that nobody knows",
    schema: nested({ type: "string", format: "moon" }),
    spec: { a: "x" },
  },
  {
    name: "an address",
    schema: nested({ type: "string", format: "ipv4" }),
    spec: { a: "10.0.0.1" },
  },
  {
    name: "an int-or-string that is neither",
    schema: nested({ "x-kubernetes-int-or-string": true }),
    spec: { a: true },
    refused: [
      'spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
    ],
  },
  {
    name: "an int-or-string",
    schema: nested({ "x-kubernetes-int-or-string": true }),
    spec: { a: "50%" },
  },
  {
    name: "what no alternative allows",
    schema: nested(string, { anyOf: [{ required: ["a"] }, { required: ["b"] }] }),
    spec: {},
    refused: ['spec: Invalid value: "": "spec" must validate at least one schema (anyOf)'],
  },
  {
    name: "what two alternatives allow",
    schema: nested(string, { oneOf: [{ required: ["a"] }, { minProperties: 1 }] }),
    spec: { a: "x" },
    refused: [
      'spec: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  {
    name: "what is excluded",
    schema: nested(string, { not: { required: ["a"] } }),
    spec: { a: "x" },
    refused: ['spec: Invalid value: "": "spec" must not validate the schema (not)'],
  },
  {
    name: "an item twice in a set",
    schema: nested({ type: "array", items: string, "x-kubernetes-list-type": "set" }),
    spec: { a: ["x", "x"] },
    refused: ['spec.a[1]: Duplicate value: "x"'],
  },
  {
    name: "a key twice in a map",
    schema: nested({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", required: ["name"], properties: { name: string, port: integer } },
    }),
    spec: {
      a: [
        { name: "x", port: 1 },
        { name: "x", port: 2 },
      ],
    },
    refused: ['spec.a[1]: Duplicate value: {"name":"x"}'],
  },
  {
    name: "an unknown field is left out",
    schema: nested(string),
    spec: { a: "x", b: 1 },
    kept: { a: "x" },
    warned: ["spec.b"],
  },
  {
    name: "an unknown field in an item is left out",
    schema: nested({ type: "array", items: { type: "object", properties: { x: string } } }),
    spec: { a: [{ x: "1", y: 2 }] },
    kept: { a: [{ x: "1" }] },
    warned: ["spec.a[0].y"],
  },
  {
    name: "an unknown field is kept where the schema says so",
    schema: nested(string, { "x-kubernetes-preserve-unknown-fields": true }),
    spec: { a: "x", b: { c: 1 } },
    kept: { a: "x", b: { c: 1 } },
  },
  {
    name: "a default is filled in",
    schema: nested({ type: "integer", default: 3 }),
    spec: {},
    kept: { a: 3 },
  },
  {
    name: "a default within a default",
    schema: nested({
      type: "object",
      default: {},
      properties: { b: { type: "string", default: "x" } },
    }),
    spec: {},
    kept: { a: { b: "x" } },
  },
  {
    name: "a default of items",
    schema: nested({
      type: "array",
      items: { type: "object", properties: { b: { type: "boolean", default: true } } },
    }),
    spec: { a: [{}, { b: false }] },
    kept: { a: [{ b: true }, { b: false }] },
  },
  {
    name: "null becomes the default where it may not be",
    schema: nested({ type: "string", default: "x" }),
    spec: { a: null },
    kept: { a: "x" },
  },
  {
    name: "null stays where it may be",
    schema: nested({ type: "string", nullable: true, default: "x" }),
    spec: { a: null },
    kept: { a: null },
  },
  {
    name: "an embedded object keeps what it is",
    schema: nested({
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    }),
    spec: { a: { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { x: 1 } } },
    kept: { a: { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { x: 1 } } },
  },
  {
    name: "an embedded object that says not what it is",
    schema: nested({
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    }),
    spec: { a: { kind: "Pod" } },
    refused: ["spec.a.apiVersion: Required value: must not be empty"],
  },
  {
    name: "a rule",
    schema: withSpec({ min: integer, max: integer }, rules({ rule: "self.min <= self.max" })),
    spec: { min: 2, max: 1 },
    refused: ["spec: Invalid value: failed rule: self.min <= self.max"],
  },
  {
    name: "a rule with its own message and field",
    schema: withSpec(
      { min: integer, max: integer },
      rules({
        rule: "self.min <= self.max",
        message: "max is too small",
        fieldPath: ".max",
        reason: "FieldValueForbidden",
      }),
    ),
    spec: { min: 2, max: 1 },
    refused: ["spec.max: Forbidden: max is too small"],
  },
  {
    name: "a rule that makes its message",
    schema: nested({
      ...integer,
      ...rules({ rule: "self < 10", messageExpression: "'%d is too much'.format([self])" }),
    }),
    spec: { a: 12 },
    refused: ["spec.a: Invalid value: 12: 12 is too much"],
  },
  {
    name: "a rule over numbers that are no integers",
    schema: withSpec({ a: { type: "number" } }, rules({ rule: "self.a * 2.0 == 4.0" })),
    spec: { a: 2 },
  },
  {
    name: "a rule over times and durations",
    schema: withSpec(
      {
        from: { type: "string", format: "date-time" },
        last: { type: "string", format: "duration" },
      },
      rules({ rule: "self.from.getFullYear() == 2026 && self.last > duration('1m')" }),
    ),
    spec: { from: "2026-01-02T03:04:05Z", last: "2m" },
  },
  {
    name: "a rule over a field that CEL cannot write",
    schema: withSpec(
      { "a-b": string, namespace: string },
      rules({ rule: "self.a__dash__b == self.__namespace__" }),
    ),
    spec: { "a-b": "x", namespace: "y" },
    refused: ["spec: Invalid value: failed rule: self.a__dash__b == self.__namespace__"],
  },
  {
    name: "a rule of every item",
    schema: nested({
      type: "array",
      items: {
        ...string,
        ...rules({ rule: "self.startsWith('x')", message: "must begin with x" }),
      },
    }),
    spec: { a: ["x1", "y1"] },
    refused: ['spec.a[1]: Invalid value: "y1": must begin with x'],
  },
  {
    name: "a rule over the object's name",
    schema: {
      ...withSpec({ a: string }),
      ...rules({ rule: "self.metadata.name.size() < 5", message: "name too long" }),
    },
    spec: { a: "x" },
    refused: [": Invalid value: name too long"],
  },
  {
    name: "a rule that fails",
    schema: withSpec({ a: string, b: string }, rules({ rule: "self.b == 'x'" })),
    spec: { a: "x" },
    refused: ["spec: Invalid value: no such key: b evaluating rule: self.b == 'x'"],
  },
  {
    name: "a rule that is too dear",
    schema: nested({
      type: "array",
      items: integer,
      ...rules({ rule: "self.all(x, self.all(y, !self.exists(z, z == x + y + 1000)))" }),
    }),
    spec: { a: Array.from({ length: 300 }, (_, at) => at) },
    refused: [
      "spec.a: Invalid value: 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.all(x, self.all(y, !self.exists(z, z == x + y + 1000)))",
    ],
  },
];
