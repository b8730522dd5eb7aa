import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conform } from "./conform.ts";
import { ApiError, fieldOf, parse } from "./errors.ts";
import { kinds } from "./registry.ts";
import { configMap } from "./kinds/configmap.ts";
import { customResourceDefinition } from "./kinds/customresourcedefinition.ts";
import { pod } from "./kinds/pod.ts";

const container = { name: "web", image: "web:v1" };
const aPod = { metadata: { name: "web" }, spec: { containers: [container] } };

describe("a value as its kind's decoder reads it", () => {
  test("is itself when it fits", () => {
    expect(conform(pod.schema, aPod)).toEqual({ value: aPod, unknown: [], mistyped: [] });
  });

  test("is without unknown members and without null, and its items stay in their places", () => {
    const spec = {
      containers: [null, { ...container, imag: "x", env: null }],
      contaners: [],
      nodeSelector: { a: null },
    };
    const { value, unknown } = conform(pod.schema, { ...aPod, spec });
    expect(value).toEqual({ ...aPod, spec: { containers: [{}, container], nodeSelector: {} } });
    expect(unknown.map(fieldOf)).toEqual(["spec.containers[1].imag", "spec.contaners"]);
  });

  test("leaves its input alone", () => {
    const input = { ...aPod, spec: { ...aPod.spec, nonsense: 1 } };
    const before = structuredClone(input);
    conform(pod.schema, input);
    expect(input).toEqual(before);
  });

  test.each([
    ["spec", 5, "must be an object, but is a number"],
    ["spec", [], "must be an object, but is a list"],
    ["metadata", "web", "must be an object, but is a string"],
    ["kind", 5, "must be a string, but is a number"],
  ])("says of %s: %j that it %s", (field, given, message) => {
    expect(conform(pod.schema, { ...aPod, [field]: given }).mistyped).toEqual([
      { path: [field], message },
    ]);
  });

  test.each([
    [{ hostNetwork: 1 }, "must be a boolean, but is a number"],
    [{ terminationGracePeriodSeconds: 1.5 }, "must be an integer, but is a fraction"],
    [{ priority: 2 ** 31 }, "must fit in 32 bits"],
    [{ containers: "web" }, "must be a list, but is a string"],
    [{ nodeSelector: [] }, "must be an object, but is a list"],
    [{ nodeSelector: { a: 1 } }, "must be a string, but is a number"],
    [{ overhead: { cpu: true } }, "must be a quantity, but is a boolean"],
    [{ overhead: { cpu: "1 core" } }, /^quantities must match/],
  ])("says of %j that it %s", (change, message) => {
    const { mistyped } = conform(pod.schema, { ...aPod, spec: { ...aPod.spec, ...change } });
    expect(mistyped.map((one) => one.message)).toEqual([
      typeof message === "string" ? message : expect.stringMatching(message),
    ]);
  });

  test("takes numbers for quantities, and base64 in lines", () => {
    const resources = { limits: { cpu: 1.5, memory: 1e9 } };
    const spec = { containers: [{ ...container, resources }] };
    expect(conform(pod.schema, { ...aPod, spec }).mistyped).toEqual([]);
    const given = { metadata: { name: "a" }, binaryData: { a: "aGVs\nbG8=\n" } };
    expect(conform(configMap.schema, given).mistyped).toEqual([]);
    expect(parse(configMap, given).binaryData).toEqual({ a: "aGVsbG8=" });
  });

  test("is refused a key that copies would lose", () => {
    const data = JSON.parse('{ "__proto__": "x", "constructor": "y" }') as object;
    const { mistyped } = conform(configMap.schema, { metadata: { name: "a" }, data });
    expect(mistyped.map(({ path }) => path)).toEqual([["data", "__proto__"]]);
  });

  test("has at most 100 faults told", () => {
    const data = Object.fromEntries(Array.from({ length: 500 }, (_, nth) => [`k${nth}`, nth]));
    const found = conform(configMap.schema, { metadata: { name: "a" }, data, ...data });
    expect(found.mistyped).toHaveLength(100);
    expect(found.unknown).toHaveLength(100);
  });
});

describe.each(kinds.map((kind) => ({ name: kind.kind, kind })))("$name", ({ kind }) => {
  test("what its schema finds wrong in a conformed value is no type and no unknown field", () => {
    fc.assert(
      fc.property(fc.record({ metadata: anyJson, spec: anyJson, data: anyJson }), (input) => {
        const { value, mistyped } = conform(kind.schema, input);
        if (mistyped.length > 0) return;
        for (const { reason, message } of causesOf(() => parse(kind, value))) {
          expect(reason).not.toBe("FieldValueTypeInvalid");
          expect(message).not.toContain("unknown field");
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** JSON in which a kind's own field names are likely. */
const keys = fc.constantFrom(
  "name",
  "labels",
  "spec",
  "containers",
  "replicas",
  "ports",
  "type",
  "__proto__",
);
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 0, -1, 1.5, "", "web", "500m"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
  ),
}));

function causesOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error.details.causes ?? [];
    throw error;
  }
  return [];
}

describe("what a definition of a custom resource holds", () => {
  const names = { plural: "widgets", kind: "Widget" };
  const given = (openAPIV3Schema: object) => ({
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      names,
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  });
  const read = (schema: object) => conform(customResourceDefinition.schema, given(schema));

  test("is a schema that holds itself, in one of two forms, and any JSON", () => {
    const schema = {
      properties: { a: { items: [{ type: "string" }] }, b: { items: { type: "number" } } },
      additionalProperties: false,
      maximum: 1.5,
      default: { a: null, b: [1, null] },
      enum: ["x", null, { y: null }],
    };
    const { value, unknown, mistyped } = read(schema);
    expect({ value, unknown, mistyped }).toEqual({
      value: given(schema),
      unknown: [],
      mistyped: [],
    });
    const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    const structural = {
      type: "object",
      properties: { spec: { ...open, default: { a: null, b: [1, null] } } },
    };
    const { spec } = parse(customResourceDefinition, given(structural));
    expect(spec.versions[0]?.schema?.openAPIV3Schema).toEqual(structural);
    expect(spec.names).toEqual({ ...names, singular: "widget", listKind: "WidgetList" });
  });

  test.each([
    [{ additionalProperties: "no" }, "must be an object or a boolean, but is a string"],
    [{ items: true }, "must be an object or a list, but is a boolean"],
    [{ maximum: "1" }, "must be a number, but is a string"],
    [{ properties: { a: { nullable: 1 } } }, "must be a boolean, but is a number"],
  ])("is not %j: it %s", (schema, message) => {
    expect(read(schema).mistyped.map((one) => one.message)).toEqual([message]);
  });

  test("may hold what the schema does not know, however deep, which is left out", () => {
    const { unknown } = read({ properties: { a: { items: { surprise: 1 } } } });
    expect(unknown.map(fieldOf)).toEqual([
      "spec.versions[0].schema.openAPIV3Schema.properties.a.items.surprise",
    ]);
  });
});
