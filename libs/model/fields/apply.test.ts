import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutNulls } from "../nulls.ts";
import { faultsIn } from "./check.ts";
import { sameSet, shownPaths } from "./field-set.ts";
import { encodeManaged } from "./managed.ts";
import { conflictMessage } from "./manage.ts";
import { type OpenApiSchema, typeOfResource } from "./openapi-type.ts";
import { setOf } from "./set-of.ts";
import { schema, type Step, step, type } from "./steps-fixture.ts";
import { apply, nobodys, ownersIn, type World } from "./world-fixture.ts";

describe("an apply is refused", () => {
  test.each<readonly [string, readonly Step[], readonly [string, unknown], string]>([
    [
      "where another one applied something else",
      [["apply", "a", { text: "x" }]],
      ["b", { text: "y" }],
      'Apply failed with 1 conflict: conflict with "a": .text',
    ],
    [
      "where an update set something else",
      [["update", "u", { text: "x" }]],
      ["b", { text: "y" }],
      'Apply failed with 1 conflict: conflict with "u" using v1: .text',
    ],
    [
      "naming every field of everybody",
      [
        ["apply", "a", { text: "x", items: [{ name: "n", value: "1" }] }],
        ["update", "u", { text: "x", items: [{ name: "n", value: "1" }], number: 1 }],
      ],
      ["b", { text: "y", items: [{ name: "n", value: "2" }], number: 2 }],
      'Apply failed with 3 conflicts: conflicts with "a":\n- .text\n- .items[name="n"].value\nconflicts with "u" using v1:\n- .number',
    ],
    [
      "where a whole differs in a part",
      [["apply", "a", { whole: { a: "1", b: "2" } }]],
      ["b", { whole: { a: "1" } }],
      'Apply failed with 1 conflict: conflict with "a": .whole',
    ],
    [
      "where null would take a value away",
      [["update", "u", { text: "x" }]],
      ["b", { text: null }],
      'Apply failed with 1 conflict: conflict with "u" using v1: .text',
    ],
  ])("%s", (_name, steps, [by, config], message) => {
    const result = apply(steps.reduce(step, nobodys), { type, by, config });
    expect(!result.ok && conflictMessage(result.conflicts).message).toBe(message);
  });

  test.each<readonly [string, unknown, string]>([
    [
      "a field that there is not",
      { object: { d: "1" } },
      ".object.d: field not declared in schema",
    ],
    [
      "a text for a number",
      { number: "1" },
      ".number: expected numeric (int or float), got string",
    ],
    ["a number for a text", { text: 1 }, ".text: expected string, got number"],
    ["a list for an object", { object: [] }, ".object: expected map, got list"],
    ["an object for a list", { items: {} }, ".items: expected list, got map"],
    ["an object for a text", { labels: { x: {} } }, ".labels.x: expected string, got map"],
    [
      "an item twice",
      { items: [{ name: "x" }, { name: "x" }] },
      '.items: duplicate entries for key [name="x"]',
    ],
    ["an item of a set twice", { set: ["x", "x"] }, '.set: duplicate entries for key [="x"]'],
    [
      "an item without its key",
      { items: [{ value: "1" }] },
      '.items: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    ],
    [
      "an item that is null",
      { items: [null] },
      ".items: element 0: associative list with keys may not have a null element",
    ],
    [
      "an object in a set",
      { set: [{}] },
      ".set: element 0: associative list without keys has an element that's a map type",
    ],
  ])("that states %s", (_name, config, message) => {
    expect(faultsIn(type, config)).toEqual([message]);
  });
});

describe("a resource", () => {
  const paths = (schema: OpenApiSchema | undefined, config: unknown) =>
    shownPaths(setOf(typeOfResource(schema), config));
  const metadata = { finalizers: ["x.dev/a"], labels: { a: "b" } };

  test("has the metadata of all objects, whatever its schema says", () => {
    const described = { type: "object", properties: { spec: schema } } as const;
    expect(paths(described, { metadata, spec: { list: ["1"] } })).toEqual([
      '.metadata.finalizers[="x.dev/a"]',
      ".metadata.labels.a",
      ".spec.list",
    ]);
  });

  test("without a schema is as it shows", () => {
    expect(paths(undefined, { metadata, spec: { deep: { list: [1] } } })).toEqual([
      ".spec",
      '.metadata.finalizers[="x.dev/a"]',
      ".metadata.labels.a",
      ".spec.deep",
      ".spec.deep.list",
    ]);
  });

  test("embeds others with theirs", () => {
    const embedded: OpenApiSchema = {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    };
    const described = { type: "object", properties: { template: embedded } } as const;
    expect(paths(described, { template: { kind: "Pod", metadata } })).toEqual([
      ".template.kind",
      '.template.metadata.finalizers[="x.dev/a"]',
      ".template.metadata.labels.a",
    ]);
  });
});

describe("whatever is applied", () => {
  const key = fc.constantFrom("x", "y", "z");
  const value = fc.constantFrom("1", "2");
  const partial = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record(fields, { requiredKeys: [] });
  const anyItem = fc.record({ name: key, value }, { requiredKeys: ["name"] });
  const anyItems = fc.uniqueArray(anyItem, { selector: ({ name }) => name, minLength: 1 });
  const config = partial({
    text: value,
    number: fc.nat(2),
    object: fc.record({ a: value, b: value }, { requiredKeys: ["a"] }),
    whole: partial({ a: value }),
    labels: fc.dictionary(key, value, { minKeys: 1 }),
    set: fc.uniqueArray(key, { minLength: 1 }),
    items: anyItems,
    list: fc.array(value),
  });
  const forced = (world: World, by: string, given: unknown): World =>
    step(world, ["force", by, given]);
  const anyWorld = fc
    .array(fc.tuple(fc.constantFrom("p", "q"), config), { maxLength: 3 })
    .map((writes) => writes.reduce((world, [by, given]) => forced(world, by, given), nobodys));

  test("changes nothing when it is applied again", () => {
    fc.assert(
      fc.property(anyWorld, config, (world, given) => {
        const once = forced(world, "a", given);
        const result = apply(once, { type, by: "a", config: given, now: "2026-02-02T00:00:00Z" });
        if (!result.ok) throw new Error("refused");
        expect(withoutNulls(result.object)).toEqual(withoutNulls(once.object));
        expect(encodeManaged(result.managed)).toEqual(encodeManaged(once.managed));
      }),
    );
  });

  test("commutes with what another one applies to other fields", () => {
    const [left, right] = [
      partial({
        text: value,
        labels: fc.dictionary(fc.constant("x"), value, { minKeys: 1 }),
        items: fc.tuple(fc.record({ name: fc.constant("x"), value })),
      }),
      partial({
        number: fc.nat(2),
        labels: fc.dictionary(fc.constant("y"), value, { minKeys: 1 }),
        items: fc.tuple(fc.record({ name: fc.constant("y"), value })),
      }),
    ];
    fc.assert(
      fc.property(left, right, (one, other) => {
        const ab = step(step(nobodys, ["apply", "a", one]), ["apply", "b", other]);
        const ba = step(step(nobodys, ["apply", "b", other]), ["apply", "a", one]);
        expect(inNoOrder(ab.object)).toEqual(inNoOrder(ba.object));
        expect(ownersIn(ab)).toEqual(ownersIn(ba));
      }),
    );
  });

  test("is gone when it is applied no more, and nothing else is", () => {
    fc.assert(
      fc.property(anyWorld, config, (world, given) => {
        const free = apply(world, { type, by: "a", config: given });
        fc.pre(free.ok && withoutNulls(world.object) === world.object);
        if (!free.ok) return;
        const gone = step(free, ["apply", "a", {}]);
        // In what order is not remembered.
        expect(inNoOrder(withoutNulls(gone.object))).toEqual(inNoOrder(world.object));
        expect(gone.managed.size).toBe(world.managed.size);
        for (const [who, { set }] of world.managed) {
          expect(sameSet(gone.managed.get(who)?.set ?? set, set)).toBe(true);
        }
      }),
    );
  });

  const inNoOrder = (object: unknown): unknown => {
    const { items, set, ...rest } = object as {
      readonly items?: readonly { readonly name: string }[];
      readonly set?: readonly string[];
    };
    const sorted = items?.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    return { ...rest, items: sorted, set: set?.toSorted() };
  };
});
