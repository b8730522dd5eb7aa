import * as fc from "fast-check";
import { stringify } from "yaml";
import { expect, test } from "vitest";
import { duplicatesOf } from "./duplicate-fields.ts";
import { parseText } from "./text.ts";

test.each([
  ["mode: 0644", { mode: 0o644 }],
  ["mode: 0o644", { mode: 0o644 }],
  ["port: 8080", { port: 8080 }],
  ["port: -1", { port: -1 }],
  ["hex: 0x1F", { hex: 31 }],
  ["version: '0644'", { version: "0644" }],
  ["digits: 0899", { digits: 899 }],
  ["on: yes", { on: "yes" }],
  ["at: 2026-01-31", { at: "2026-01-31" }],
  ["a: null\nb: ~\nc:", { a: null, b: null, c: null }],
  ["{a: 1, b: [x]}", { a: 1, b: ["x"] }],
  ['{"a": 1}', { a: 1 }],
  ["a: &a {x: 1}\nb: *a", { a: { x: 1 }, b: { x: 1 } }],
])("%s", (text, value) => {
  expect(parseText(text, "yaml")).toEqual(value);
});

test.each([
  ["a value of JavaScript's", "a: !!js/function 'x'"],
  ["a date, which JSON has not", "a: !!timestamp 2026-01-31"],
  ["an alias to nothing", "a: *b"],
  ["two documents", "a: 1\n---\nb: 2"],
])("%s is refused", (_name, text) => {
  expect(() => parseText(text, "yaml")).toThrow(expect.objectContaining({ reason: "BadRequest" }));
});

test.each([
  ["a: 1\nb: {c: 1, c: 2}\n", "yaml", ["b.c"]],
  ["a: 1\na: 2\nl: [{x: 1}, {y: 1, y: 2}]\n", "yaml", ["a", "l[1].y"]],
  ['{"a":1,"b":{"c":1,"c":2}}', "json", ["b.c"]],
  ['{"a":1,"a":{"x":[{"z":1},{"y":1,"y":2,"y":3}]},"\\u0061":3}', "json", ["a", "a.x[1].y"]],
  ['{"a":"a:{","b":"\\"a\\":","c":["a","a"]}', "json", []],
] as const)("the fields that stand twice in %s are remembered", (text, language, fields) => {
  expect(duplicatesOf(parseText(text, language)).toSorted()).toEqual(fields);
});

test("a text of too many parts is refused before it is read", () => {
  expect(() => parseText("- v\n".repeat(100_000), "yaml")).toThrow("send it as JSON");
});

test("where it ends is told, what it says is not", () => {
  expect(() => parseText("password: hunter2\nx: [1", "yaml")).toThrow(
    /^the body is not valid YAML at line 2, column \d+$/,
  );
});

test("an alias that many name is no bomb, one within another is", () => {
  const shared = `a: &a ${"x".repeat(100)}\nb: [${Array.from({ length: 40 }, () => "*a").join(",")}]`;
  expect(parseText(shared, "yaml")).toMatchObject({ a: "x".repeat(100) });
  const large = `a: &a ${"x".repeat(100_000)}\nb: [${Array.from({ length: 40 }, () => "*a").join(",")}]`;
  expect(() => parseText(large, "yaml")).toThrow("too many aliases");
});

test("what is written as YAML is read as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      expect(parseText(stringify(plain), "yaml")).toEqual(plain);
    }),
  );
});
