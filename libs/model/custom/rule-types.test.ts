/** Rules of users' kinds, checked against the types that their schemas declare. */
import { describe, expect, test } from "vitest";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { schemaFaults } from "./schema-faults.ts";

const at = "spec.versions[0].schema.openAPIV3Schema";
const string: JsonSchema = { type: "string" };
const integer: JsonSchema = { type: "integer" };
const listOf: JsonSchema = {
  type: "array",
  items: { type: "object", properties: { a: string, n: integer } },
};
const withSpec = (
  properties: Readonly<Record<string, JsonSchema>>,
  rest: JsonSchema = {},
): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties: { ...properties }, ...rest } },
});
const rules = (...list: NonNullable<JsonSchema["x-kubernetes-validations"]>): JsonSchema => ({
  "x-kubernetes-validations": list,
});
const told = (schema: JsonSchema) =>
  schemaFaults(schema, at).map(({ field, message }) => `${field}: ${message}`);

/** What is said of a rule of `spec` that does not compile. */
const ruleFault = (rule: string, fault: string) => [
  expect.stringMatching(
    new RegExp(
      `^${escaped(`${at}.properties[spec].x-kubernetes-validations[0].rule: Invalid value: ${JSON.stringify({ rule })}: compilation failed: ${fault}`)}\n \\| `,
    ),
  ),
];
const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("a schema is refused", () => {
  test.each<readonly [string, JsonSchema, readonly string[]]>([
    [
      "with a rule about a field that it has not",
      withSpec({ a: string }, rules({ rule: "self.b == 'x'" })),
      ruleFault("self.b == 'x'", "ERROR: <input>:1:5: undefined field 'b'"),
    ],
    [
      "with a rule that asks for the presence of a field that it has not",
      withSpec({ a: string }, rules({ rule: "!has(self.b)" })),
      ruleFault("!has(self.b)", "ERROR: <input>:1:10: undefined field 'b'"),
    ],
    [
      "with a rule about a variable that there is not",
      withSpec({ a: string }, rules({ rule: "selv.a == 'x'" })),
      ruleFault(
        "selv.a == 'x'",
        "ERROR: <input>:1:1: undeclared reference to 'selv' (in container '')",
      ),
    ],
    [
      "with a rule that calls what there is not",
      withSpec({ a: string }, rules({ rule: "fake(self.a)" })),
      ruleFault(
        "fake(self.a)",
        "ERROR: <input>:1:5: undeclared reference to 'fake' (in container '')",
      ),
    ],
    [
      "with a rule that compares a text with a number",
      withSpec({ a: string }, rules({ rule: "self.a > 1" })),
      ruleFault(
        "self.a > 1",
        "ERROR: <input>:1:8: found no matching overload for '_>_' applied to '(string, int)'",
      ),
    ],
    [
      "with a rule that calls a function with the wrong type",
      withSpec({ a: integer }, rules({ rule: "size(self.a) > 1" })),
      ruleFault(
        "size(self.a) > 1",
        "ERROR: <input>:1:5: found no matching overload for 'size' applied to '(int)'",
      ),
    ],
    [
      "with a rule about an item's field, which it has not",
      withSpec({ list: listOf }, rules({ rule: "self.list.all(x, x.b == 'y')" })),
      ruleFault("self.list.all(x, x.b == 'y')", "ERROR: <input>:1:19: undefined field 'b'"),
    ],
    [
      "with a rule about more of metadata than names",
      { ...withSpec({ a: string }), ...rules({ rule: "self.metadata.labels.size() > 0" }) },
      [expect.stringContaining(":1:14: undefined field 'labels'")],
    ],
    [
      "with a rule that writes a reserved name as it stands",
      withSpec({ namespace: string }, rules({ rule: "self.__dash__namespace == 'x'" })),
      [expect.stringContaining("undefined field '__dash__namespace'")],
    ],
    [
      "with a rule about what it keeps without knowing it",
      withSpec(
        { a: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        rules({ rule: "self.a.b == 1" }),
      ),
      [expect.stringContaining("1:7: undefined field 'b'")],
    ],
    [
      "with a rule that may give anything",
      withSpec({ a: { "x-kubernetes-int-or-string": true } }, rules({ rule: "self.a" })),
      [
        `${at}.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"rule":"self.a"}: cel expression must evaluate to a bool`,
      ],
    ],
    [
      "with a rule of a value of no known type",
      withSpec({ a: { "x-kubernetes-preserve-unknown-fields": true, ...rules({ rule: "true" }) } }),
      [
        `${at}.properties[spec].properties[a].x-kubernetes-validations: Internal error: failed to retrieve type information for x-kubernetes-validations`,
      ],
    ],
    [
      "with a message that does not compile",
      withSpec({ a: string }, rules({ rule: "true", messageExpression: "self.b" })),
      [
        expect.stringMatching(
          /x-kubernetes-validations\[0\]\.messageExpression: Invalid value: \{.*\}: messageExpression compilation failed: ERROR: <input>:1:5: undefined field 'b'/,
        ),
      ],
    ],
    [
      "with a message that is no text",
      withSpec({ a: integer }, rules({ rule: "true", messageExpression: "self.a" })),
      [expect.stringContaining("messageExpression must evaluate to a string")],
    ],
    [
      "with an old value of items that cannot be told from one another",
      withSpec({
        list: { type: "array", items: { ...string, ...rules({ rule: "self == oldSelf" }) } },
      }),
      [
        `${at}.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${at}.properties[spec].properties[list]`,
      ],
    ],
    [
      "with an old value in an object that is one whole",
      withSpec({
        whole: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          properties: { a: { ...string, ...rules({ rule: "self == oldSelf" }) } },
        },
      }),
      [
        expect.stringContaining(
          `uncorrelatable portion of the schema within ${at}.properties[spec].properties[whole]`,
        ),
      ],
    ],
    [
      "with an old value that is optional and taken as there",
      withSpec({
        a: { ...integer, ...rules({ rule: "self >= oldSelf", optionalOldSelf: true }) },
      }),
      [
        expect.stringContaining(
          "1:6: found no matching overload for '_>=_' applied to '(int, optional_type(int))'",
        ),
      ],
    ],
    [
      "with an optional old value that no rule reads",
      withSpec({ a: { ...integer, ...rules({ rule: "self > 0", optionalOldSelf: true }) } }),
      [
        `${at}.properties[spec].properties[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
      ],
    ],
    [
      "with a rule that leads to a field that it has not",
      withSpec({ a: string }, rules({ rule: "true", fieldPath: ".b" })),
      [
        `${at}.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".b": must be a valid path`,
      ],
    ],
    [
      "with a rule that leads into a list",
      withSpec({ list: listOf }, rules({ rule: "true", fieldPath: ".list[0]" })),
      [expect.stringContaining('fieldPath: Invalid value: ".list[0]": must be a valid path')],
    ],
  ])("%s", (_name, schema, faults) => {
    expect(told(schema)).toEqual(faults);
  });
});

describe("a rule is taken", () => {
  const everything = {
    text: string,
    number: { type: "number" },
    count: integer,
    flag: { type: "boolean" },
    when: { type: "string", format: "date-time" },
    last: { type: "string", format: "duration" },
    bytes: { type: "string", format: "byte" },
    amount: { "x-kubernetes-int-or-string": true },
    list: listOf,
    names: { type: "array", items: string },
    labels: { type: "object", additionalProperties: string },
    parts: {
      type: "object",
      additionalProperties: { type: "object", properties: { n: integer } },
    },
    "a-b": string,
    namespace: string,
    embedded: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    },
  } as const satisfies Readonly<Record<string, JsonSchema>>;

  test.each([
    "self.text.startsWith('a') && size(self.text) < 10",
    "self.count > 1.5 && self.number < 3",
    "double(self.count) == self.number",
    "self.flag ? self.count == 1 : self.text == ''",
    "self.when > timestamp('2020-01-01T00:00:00Z') && self.when.getFullYear() > 2019",
    "self.last <= duration('1h') && self.last + duration('1m') > duration('2m')",
    "string(self.bytes) == 'x'",
    "type(self.amount) == int ? self.amount > 1 : self.amount.endsWith('%')",
    "self.list.all(x, has(x.a) && x.n > 0) && self.list.map(x, x.a).exists(a, a == self.text)",
    "self.list.filter(x, x.n > 1).size() < 3 && self.list[0] in self.list",
    "self.names.join(',') == 'a,b' && self.names.isSorted() && self.names.all(i, v, v != '')",
    "self.names.map(x, x.size()).sum() < 10 && sets.contains(self.names, ['a'])",
    "self.labels.all(k, k.matches('^a')) && self.labels['a'] == 'b' && self.labels.a == 'b'",
    "'x' in self.labels && self.parts.x.n == 1 && self.parts == oldSelf.parts",
    "self.a__dash__b == self.__namespace__",
    "self.embedded.kind == 'Pod' && self.embedded.metadata.name != ''",
    "self.?text.orValue('x') == 'x' && self.list[?0].hasValue()",
    "cel.bind(all, self.names + [self.text], all.exists_one(x, x == 'a'))",
    "!has(oldSelf.text) || self.text == oldSelf.text",
    "self == oldSelf || self.list != oldSelf.list",
    "quantity(self.text).isGreaterThan(quantity('1Mi')) && isQuantity(self.text)",
    "url(self.text).getHost() == 'a' && ip(self.text).family() == 4",
    "format.dns1123Label().validate(self.text).hasValue() == false",
    "self.text in ['a', 'b'] && dyn(self.text) != 1",
    "self.text == (self.flag ? 'x' : 'y') && [1, 2].exists(n, n == self.count)",
    "'%d of %s'.format([self.count, self.text]) == self.text",
  ])("%s", (rule) => {
    expect(told(withSpec(everything, rules({ rule })))).toEqual([]);
  });

  test.each([
    [
      "about the object's name",
      { ...withSpec({}), ...rules({ rule: "self.metadata.name != ''" }) },
    ],
    [
      "with an optional old value",
      withSpec({
        a: {
          ...integer,
          ...rules({
            rule: "!oldSelf.hasValue() || self >= oldSelf.value()",
            optionalOldSelf: true,
            messageExpression: "'at least ' + string(oldSelf.orValue(0))",
          }),
        },
      }),
    ],
    [
      "with the old value of an item that is known by its key",
      withSpec({
        list: {
          ...listOf,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["a"],
          items: {
            type: "object",
            required: ["a"],
            properties: { a: string, n: { ...integer, ...rules({ rule: "self >= oldSelf" }) } },
          },
        },
      }),
    ],
    [
      "that leads to a member of a map",
      withSpec(
        { labels: { type: "object", additionalProperties: string } },
        rules({ rule: "true", fieldPath: ".labels['a.b']" }),
      ),
    ],
  ] satisfies (readonly [string, JsonSchema])[])("%s", (_name, schema) => {
    expect(told(schema)).toEqual([]);
  });
});
