import { describe, expect, test } from "vitest";
import { withoutNulls } from "../nulls.ts";
import { type Step, step } from "./steps-fixture.ts";
import { nobodys, type Owned, ownersIn } from "./world-fixture.ts";

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
