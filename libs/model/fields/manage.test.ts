import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutNulls } from "../nulls.ts";
import { faultsIn } from "./check.ts";
import { sameSet, shownPaths } from "./field-set.ts";
import { encodeManaged } from "./managed.ts";
import { conflictMessage } from "./manage.ts";
import { type OpenApiSchema, typeOfOpenApi, typeOfResource } from "./openapi-type.ts";
import { setOf } from "./set-of.ts";
import { apply, nobodys, type Owned, ownersIn, update, type World } from "./world-fixture.ts";

const text: OpenApiSchema = { type: "string" };
const number: OpenApiSchema = { type: "integer" };
const item: OpenApiSchema = {
  type: "object",
  properties: { name: text, value: text, more: { type: "array", items: text } },
};
const port: OpenApiSchema = {
  type: "object",
  properties: { port: number, protocol: { ...text, default: "TCP" }, name: text },
};
const schema: OpenApiSchema = {
  type: "object",
  properties: {
    text,
    number,
    any: { "x-kubernetes-preserve-unknown-fields": true },
    either: { "x-kubernetes-int-or-string": true },
    object: {
      type: "object",
      properties: { a: text, b: text, inner: { type: "object", properties: { c: text } } },
    },
    whole: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text, b: text } },
    labels: { type: "object", additionalProperties: text },
    list: { type: "array", items: text },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    items: {
      type: "array",
      items: item,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    ports: {
      type: "array",
      items: port,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
    nested: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        properties: {
          name: text,
          items: {
            type: "array",
            items: item,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
          },
        },
      },
    },
    open: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { known: text },
    },
  },
};
const type = typeOfOpenApi(schema);

type Step =
  | readonly ["apply" | "force", by: string, config: unknown]
  | readonly ["update", by: string, to: unknown];
type Case = readonly [name: string, steps: readonly Step[], object: unknown, owners: Owned];

const cases: readonly Case[] = [
  ["makes an object", [["apply", "a", { text: "x" }]], { text: "x" }, { a: [".text"] }],
  [
    "keeps what others set",
    [
      ["update", "u", { text: "x", number: 1 }],
      ["apply", "a", { object: { a: "1" } }],
    ],
    { text: "x", number: 1, object: { a: "1" } },
    { u: [".number", ".text"], a: [".object.a"] },
  ],
  [
    "shares what others say as well",
    [
      ["apply", "a", { text: "x" }],
      ["apply", "b", { text: "x", number: 1 }],
    ],
    { text: "x", number: 1 },
    { a: [".text"], b: [".number", ".text"] },
  ],
  [
    "shares with an update that says the same",
    [
      ["update", "u", { text: "x" }],
      ["apply", "a", { text: "x" }],
    ],
    { text: "x" },
    { u: [".text"], a: [".text"] },
  ],
  [
    "takes by force",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["force", "b", { text: "y" }],
    ],
    { text: "y", number: 1 },
    { a: [".number"], b: [".text"] },
  ],
  [
    "forgets who has lost everything",
    [
      ["apply", "a", { text: "x" }],
      ["force", "b", { text: "y" }],
    ],
    { text: "y" },
    { b: [".text"] },
  ],
  [
    "changes what is its own",
    [
      ["apply", "a", { text: "x" }],
      ["apply", "a", { text: "y" }],
    ],
    { text: "y" },
    { a: [".text"] },
  ],
  [
    "removes what it says no longer",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["apply", "a", { number: 1 }],
    ],
    { number: 1 },
    { a: [".number"] },
  ],
  [
    "leaves what another one applied too",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["apply", "b", { text: "x" }],
      ["apply", "a", { number: 1 }],
    ],
    { text: "x", number: 1 },
    { a: [".number"], b: [".text"] },
  ],
  [
    "leaves what an update holds",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["update", "u", { text: "y", number: 1 }],
      ["apply", "a", { number: 1 }],
    ],
    { text: "y", number: 1 },
    { a: [".number"], u: [".text"] },
  ],
  [
    "removes everything",
    [
      ["apply", "a", { text: "x" }],
      ["apply", "a", {}],
    ],
    {},
    {},
  ],
  [
    "loses what an update removes",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["update", "u", { number: 1 }],
    ],
    { number: 1 },
    { a: [".number"] },
  ],
  [
    "takes back what an update removed",
    [
      ["apply", "a", { text: "x", number: 1 }],
      ["update", "u", { number: 1 }],
      ["apply", "a", { text: "x", number: 1 }],
    ],
    { text: "x", number: 1 },
    { a: [".number", ".text"] },
  ],
  [
    "an update takes what it changes and only that",
    [
      ["apply", "a", { text: "x", object: { a: "1", b: "2" } }],
      ["update", "u", { text: "x", object: { a: "9", b: "2" } }],
    ],
    { text: "x", object: { a: "9", b: "2" } },
    { a: [".text", ".object.b"], u: [".object.a"] },
  ],
  [
    "an update takes what it adds, and what that lies in",
    [["update", "u", { object: { inner: { c: "1" } } }]],
    { object: { inner: { c: "1" } } },
    { u: [".object", ".object.inner", ".object.inner.c"] },
  ],
  [
    "an object that is one whole",
    [
      ["apply", "a", { whole: { a: "1" } }],
      ["force", "b", { whole: { b: "2" } }],
    ],
    { whole: { b: "2" } },
    { b: [".whole"] },
  ],
  [
    "an object that is one whole is replaced",
    [
      ["apply", "a", { whole: { a: "1", b: "2" } }],
      ["apply", "a", { whole: { b: "3" } }],
    ],
    { whole: { b: "3" } },
    { a: [".whole"] },
  ],
  [
    "an object that is one whole goes",
    [
      ["apply", "a", { whole: { a: "1" }, text: "x" }],
      ["apply", "a", { text: "x" }],
    ],
    { text: "x" },
    { a: [".text"] },
  ],
  [
    "members of a map are each somebody's",
    [
      ["apply", "a", { labels: { x: "1", y: "2" } }],
      ["apply", "b", { labels: { z: "3" } }],
      ["apply", "a", { labels: { y: "2" } }],
    ],
    { labels: { y: "2", z: "3" } },
    { a: [".labels.y"], b: [".labels.z"] },
  ],
  [
    "a map that nobody fills any more",
    [
      ["apply", "a", { labels: { x: "1" }, text: "x" }],
      ["apply", "a", { text: "x" }],
    ],
    { text: "x" },
    { a: [".text"] },
  ],
  [
    "an empty map is owned as such",
    [["apply", "a", { labels: {} }]],
    { labels: {} },
    { a: [".labels"] },
  ],
  [
    "a list without a type is one whole",
    [
      ["apply", "a", { list: ["1", "2"] }],
      ["apply", "a", { list: ["2", "3"] }],
    ],
    { list: ["2", "3"] },
    { a: [".list"] },
  ],
  [
    "a set grows by items",
    [
      ["apply", "a", { set: ["x", "y"] }],
      ["apply", "b", { set: ["y", "z"] }],
    ],
    { set: ["x", "y", "z"] },
    { a: ['.set[="x"]', '.set[="y"]'], b: ['.set[="y"]', '.set[="z"]'] },
  ],
  [
    "a set loses what nobody states",
    [
      ["apply", "a", { set: ["x", "y"] }],
      ["apply", "b", { set: ["y", "z"] }],
      ["apply", "a", { set: [] }],
    ],
    { set: ["y", "z"] },
    { b: ['.set[="y"]', '.set[="z"]'] },
  ],
  [
    "a set's items keep their order",
    [
      ["update", "u", { set: ["d", "c", "b"] }],
      ["apply", "a", { set: ["b", "a", "c"] }],
    ],
    { set: ["d", "b", "a", "c"] },
    {
      u: [".set", '.set[="b"]', '.set[="c"]', '.set[="d"]'],
      a: ['.set[="a"]', '.set[="b"]', '.set[="c"]'],
    },
  ],
  [
    "items of a list are known by their key",
    [
      ["apply", "a", { items: [{ name: "x", value: "1" }] }],
      ["apply", "b", { items: [{ name: "y", value: "2" }] }],
    ],
    {
      items: [
        { name: "x", value: "1" },
        { name: "y", value: "2" },
      ],
    },
    {
      a: ['.items[name="x"]', '.items[name="x"].name', '.items[name="x"].value'],
      b: ['.items[name="y"]', '.items[name="y"].name', '.items[name="y"].value'],
    },
  ],
  [
    "an item that another one has too stays with what that states",
    [
      ["apply", "a", { items: [{ name: "x", value: "1" }] }],
      ["apply", "b", { items: [{ name: "x", more: ["m"] }] }],
      ["apply", "a", {}],
    ],
    { items: [{ name: "x", more: ["m"] }] },
    { b: ['.items[name="x"]', '.items[name="x"].more', '.items[name="x"].name'] },
  ],
  [
    "an item goes whole when nobody else has a part of it",
    [
      ["apply", "a", { items: [{ name: "x", value: "1" }, { name: "y" }] }],
      ["apply", "a", { items: [{ name: "y" }] }],
    ],
    { items: [{ name: "y" }] },
    { a: ['.items[name="y"]', '.items[name="y"].name'] },
  ],
  [
    "a part of an item goes",
    [
      ["apply", "a", { items: [{ name: "x", value: "1" }] }],
      ["apply", "a", { items: [{ name: "x" }] }],
    ],
    { items: [{ name: "x" }] },
    { a: ['.items[name="x"]', '.items[name="x"].name'] },
  ],
  [
    "an item goes with what an update has added to it",
    [
      ["apply", "a", { items: [{ name: "x" }] }],
      ["update", "u", { items: [{ name: "x", value: "1" }] }],
      ["apply", "a", { items: [] }],
    ],
    {},
    {},
  ],
  [
    "items come in the order of who applies, the others keep their place",
    [
      ["apply", "a", { items: [{ name: "1" }, { name: "2" }, { name: "3" }] }],
      ["apply", "b", { items: [{ name: "3" }, { name: "new" }, { name: "1" }] }],
    ],
    { items: [{ name: "2" }, { name: "3" }, { name: "new" }, { name: "1" }] },
    {
      a: ["1", "2", "3"]
        .flatMap((one) => [`.items[name="${one}"]`])
        .concat(["1", "2", "3"].map((one) => `.items[name="${one}"].name`)),
      b: ["1", "3", "new"]
        .map((one) => `.items[name="${one}"]`)
        .concat(["1", "3", "new"].map((one) => `.items[name="${one}"].name`)),
    },
  ],
  [
    "keys of several fields, one of them by default",
    [
      ["apply", "a", { ports: [{ port: 53, name: "tcp" }] }],
      ["apply", "b", { ports: [{ port: 53, protocol: "UDP", name: "udp" }] }],
      ["force", "b", { ports: [{ port: 53, protocol: "TCP", name: "mine" }] }],
    ],
    { ports: [{ port: 53, protocol: "TCP", name: "mine" }] },
    {
      a: ['.ports[port=53,protocol="TCP"]', '.ports[port=53,protocol="TCP"].port'],
      b: [
        '.ports[port=53,protocol="TCP"]',
        '.ports[port=53,protocol="TCP"].name',
        '.ports[port=53,protocol="TCP"].port',
        '.ports[port=53,protocol="TCP"].protocol',
      ],
    },
  ],
  [
    "lists in items of lists",
    [
      ["apply", "a", { nested: [{ name: "n", items: [{ name: "x", value: "1" }] }] }],
      ["apply", "b", { nested: [{ name: "n", items: [{ name: "y", value: "2" }] }] }],
      ["apply", "a", { nested: [{ name: "n", items: [] }] }],
    ],
    { nested: [{ name: "n", items: [{ name: "y", value: "2" }] }] },
    {
      a: ['.nested[name="n"]', '.nested[name="n"].name'],
      b: [
        '.nested[name="n"]',
        '.nested[name="n"].name',
        '.nested[name="n"].items[name="y"]',
        '.nested[name="n"].items[name="y"].name',
        '.nested[name="n"].items[name="y"].value',
      ],
    },
  ],
  [
    "what no schema describes is as it shows: maps of members, lists that are wholes",
    [
      ["apply", "a", { any: { x: { y: 1 }, z: [1] } }],
      ["apply", "b", { any: { x: { w: true } } }],
      ["apply", "a", { any: { z: [2] } }],
    ],
    { any: { x: { w: true }, z: [2] } },
    { a: [".any.z"], b: [".any.x", ".any.x.w"] },
  ],
  [
    "fields that are kept though nobody knows them",
    [["apply", "a", { open: { known: "1", other: { deep: "2" } } }]],
    { open: { known: "1", other: { deep: "2" } } },
    { a: [".open.known", ".open.other", ".open.other.deep"] },
  ],
  [
    "numbers and texts in one place",
    [
      ["apply", "a", { either: 80 }],
      ["force", "b", { either: "http" }],
    ],
    { either: "http" },
    { b: [".either"] },
  ],
  [
    "null is nothing, and owned",
    [
      ["update", "u", { object: { a: "1" } }],
      ["force", "a", { text: null }],
    ],
    { object: { a: "1" } },
    { u: [".object", ".object.a"], a: [".text"] },
  ],
  [
    "null takes a value away",
    [
      ["update", "u", { text: "x", number: 1 }],
      ["force", "a", { text: null }],
    ],
    { number: 1 },
    { u: [".number"], a: [".text"] },
  ],
  [
    "items that are there twice are replaced by the one that is applied",
    [
      [
        "update",
        "u",
        { items: [{ name: "x", value: "1" }, { name: "x", value: "2" }, { name: "y" }] },
      ],
      ["force", "a", { items: [{ name: "x", value: "3" }] }],
    ],
    { items: [{ name: "x", value: "3" }, { name: "y" }] },
    {
      u: [".items", '.items[name="y"]', '.items[name="y"].name'],
      a: ['.items[name="x"]', '.items[name="x"].name', '.items[name="x"].value'],
    },
  ],
];

describe("who writes an object", () => {
  test.each(cases)("%s", (_name, steps, object, owners) => {
    const end = steps.reduce(step, nobodys);
    expect(withoutNulls(end.object)).toEqual(object);
    expect(ownersIn(end)).toEqual(owners);
  });
});

function step(world: World, [verb, by, given]: Step): World {
  if (verb === "update") return update(world, { type, by, to: given });
  const result = apply(world, { type, by, config: given, force: verb === "force" });
  if (!result.ok) throw new Error(conflictMessage(result.conflicts).message);
  return result;
}

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
