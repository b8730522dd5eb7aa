import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  difference,
  emptySet,
  type FieldSet,
  has,
  intersection,
  isEmpty,
  pathsOf,
  sameSet,
  setOfPaths,
  shownPaths,
  union,
} from "./field-set.ts";
import { decodeFields, encodeFields } from "./fields-v1.ts";
import { compareElements, keyElement, valueElement } from "./path-element.ts";

const name = fc.constantFrom("a", "b", "spec", "z/y", "é", "\u{1f600}", "\uff5a");
const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.boolean());
const element = fc.oneof(
  name.map((text) => `f:${text}`),
  fc.dictionary(name, leaf, { minKeys: 1, maxKeys: 2 }).map(keyElement),
  leaf.map(valueElement),
  fc.nat(12).map((at) => `i:${at}`),
);
const anySet: fc.Arbitrary<FieldSet> = fc
  .array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 })
  .map((paths) => setOfPaths(...paths));

describe("a set of fields", () => {
  test("is the set of its paths", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const member = (set: FieldSet) => (path: readonly string[]) => has(set, path);
        const all = [...pathsOf(a), ...pathsOf(b)];
        for (const path of all) {
          const [inA, inB] = [member(a)(path), member(b)(path)];
          expect(has(union(a, b), path)).toBe(inA || inB);
          expect(has(intersection(a, b), path)).toBe(inA && inB);
          expect(has(difference(a, b), path)).toBe(inA && !inB);
        }
        expect(sameSet(setOfPaths(...pathsOf(a)), a)).toBe(true);
      }),
    );
  });

  test("is what two parts of it make", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        expect(sameSet(union(difference(a, b), intersection(a, b)), a)).toBe(true);
        expect(sameSet(union(a, b), union(b, a))).toBe(true);
        expect(sameSet(intersection(a, b), intersection(b, a))).toBe(true);
        expect(isEmpty(difference(a, a))).toBe(true);
        expect(sameSet(difference(a, emptySet), a)).toBe(true);
      }),
    );
  });

  test("round-trips as JSON, and is always written the same way", () => {
    fc.assert(
      fc.property(anySet, (set) => {
        const text = JSON.stringify(encodeFields(set));
        const read = decodeFields(JSON.parse(text));
        expect(read !== undefined && sameSet(read, set)).toBe(true);
        expect(JSON.stringify(encodeFields(setOfPaths(...pathsOf(set).toReversed())))).toBe(text);
      }),
    );
  });
});

describe("the JSON of a set", () => {
  test("has Kubernetes' order: a field itself, fields, keys, values, places", () => {
    const set = setOfPaths(
      ["f:b", "i:10"],
      ["f:b", "i:9"],
      ["f:b", 'v:"x"'],
      ["f:b", "v:2"],
      ["f:b", 'k:{"name":"b"}'],
      ["f:b", 'k:{"name":"a"}', "f:image"],
      ["f:b", 'k:{"name":"a"}'],
      ["f:b", "f:z"],
      ["f:b"],
      ["f:a"],
    );
    expect(JSON.stringify(encodeFields(set))).toBe(
      JSON.stringify({
        "f:a": {},
        "f:b": {
          ".": {},
          "f:z": {},
          'k:{"name":"a"}': { ".": {}, "f:image": {} },
          'k:{"name":"b"}': {},
          "v:2": {},
          'v:"x"': {},
          "i:9": {},
          "i:10": {},
        },
      }),
    );
  });

  test.each([
    ["keys in another order", { 'k:{"b":1,"a":"x"}': {} }, { 'k:{"a":"x","b":1}': {} }],
    ["spaces in keys", { 'k:{ "a" : 1 }': {} }, { 'k:{"a":1}': {} }],
    ["a value that is escaped", { 'v:"\\u0061"': {} }, { 'v:"a"': {} }],
    ["what HTML would read", { 'v:"a<b"': {} }, { 'v:"a\\u003cb"': {} }],
    ["steps of a sort that there is not", { "q:x": {}, "f:a": {} }, { "f:a": {} }],
    [
      "one step twice",
      { 'k:{"a":1}': { "f:x": {} }, 'k:{ "a":1}': { "f:y": {} } },
      { 'k:{"a":1}': { "f:x": {}, "f:y": {} } },
    ],
  ])("is read with %s", (_name, written, canonical) => {
    expect(encodeFields(decodeFields(written) ?? emptySet)).toEqual(canonical);
  });

  test.each([
    ["a text", "f:a"],
    ["a list", []],
    ["a step without a colon", { spec: {} }],
    ["keys that are no JSON", { "k:{": {} }],
    ["keys that are no object", { "k:1": {} }],
    ["a place that is no number", { "i:x": {} }],
    ["a member that is none", { "f:a": 1 }],
  ])("is none when it is %s", (_name, value) => {
    expect(decodeFields(value)).toBeUndefined();
  });
});

test("steps are shown as messages show them", () => {
  const set = setOfPaths(
    ["f:spec", "f:ports", keyElement({ protocol: "TCP", containerPort: 80 }), "f:name"],
    ["f:metadata", "f:finalizers", valueElement("a.b/c")],
    ["f:list", "i:3"],
  );
  expect(shownPaths(set)).toEqual([
    ".list[3]",
    '.metadata.finalizers[="a.b/c"]',
    '.spec.ports[containerPort=80,protocol="TCP"].name',
  ]);
});

test("steps are ordered as Go orders bytes", () => {
  const texts = ["f:\u{1f600}", "f:\uff5a", "f:é", "f:z", "f:aa", "f:a"];
  expect(texts.toSorted(compareElements)).toEqual(texts.toReversed());
});
