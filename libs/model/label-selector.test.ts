import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  labelSelector,
  matchesLabels,
  matchesRequirement,
  matchesSelector,
  selectorText,
} from "./label-selector.ts";

const labels = { app: "web", tier: "front" };

describe("a label selector", () => {
  test.each([
    { name: "nothing asked selects all", selector: {}, matches: true },
    { name: "an equal label", selector: { matchLabels: { app: "web" } }, matches: true },
    { name: "another value", selector: { matchLabels: { app: "db" } }, matches: false },
    { name: "a label that is missing", selector: { matchLabels: { zone: "a" } }, matches: false },
    { name: "In", selector: one("app", "In", ["db", "web"]), matches: true },
    { name: "In, missing", selector: one("zone", "In", ["a"]), matches: false },
    { name: "NotIn", selector: one("app", "NotIn", ["web"]), matches: false },
    { name: "NotIn, missing", selector: one("zone", "NotIn", ["a"]), matches: true },
    { name: "Exists", selector: one("tier", "Exists"), matches: true },
    { name: "DoesNotExist", selector: one("tier", "DoesNotExist"), matches: false },
    {
      name: "a name that every object has",
      selector: one("constructor", "Exists"),
      matches: false,
    },
  ] as const)("$name: $matches", ({ selector, matches }) => {
    expect(matchesSelector(labelSelector.parse(selector), labels)).toBe(matches);
  });

  test("is met by objects without labels only where it asks for none", () => {
    expect(matchesSelector({ matchLabels: { app: "web" } }, undefined)).toBe(false);
    expect(matchesSelector({}, undefined)).toBe(true);
  });

  test.each([
    ["In without values", one("a", "In")],
    ["Exists with values", one("a", "Exists", ["x"])],
    ["a value that no label can have", one("a", "In", ["-"])],
    ["a key with two slashes", { matchLabels: { "a/b/c": "x" } }],
    ["a value that is too long", { matchLabels: { a: "x".repeat(64) } }],
  ])("is refused: %s", (_name, selector) => {
    expect(labelSelector.safeParse(selector).success).toBe(false);
  });

  test("is shown as kubectl shows it", () => {
    const selector = { ...one("tier", "In", ["b", "a"]), matchLabels: { z: "1", app: "web" } };
    expect(selectorText(labelSelector.parse(selector))).toBe("app=web,z=1,tier in (a,b)");
    expect(selectorText({})).toBe("<none>");
  });

  test("selects whatever carries its labels, and more", () => {
    const anyLabels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
    fc.assert(
      fc.property(anyLabels, anyLabels, (matchLabels, others) => {
        const carried = { ...others, ...matchLabels };
        expect(matchesSelector({ matchLabels }, carried)).toBe(true);
        expect(matchesLabels(matchLabels, others)).toBe(matchesSelector({ matchLabels }, others));
      }),
    );
  });
});

test.each([
  ["Gt", "5", true],
  ["Gt", "4", false],
  ["Lt", "3", true],
  ["Gt", "many", false],
  ["Lt", undefined, false],
] as const)("a requirement %s 4 is met by %s: %s", (operator, value, met) => {
  const labels = value === undefined ? {} : { size: value };
  expect(matchesRequirement({ key: "size", operator, values: ["4"] }, labels)).toBe(met);
});

function one(key: string, operator: string, values?: string[]) {
  return { matchExpressions: [{ key, operator, ...(values !== undefined && { values }) }] };
}
