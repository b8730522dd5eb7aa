/** Server-side apply of a user's kind: what its schema says of lists and maps is who may own which part. */
import { beforeAll, describe } from "vitest";
import type { JsonSchema } from "../../../libs/model/extensions/json-schema.ts";
import {
  apply,
  expectRows,
  force,
  json,
  merge,
  post,
  type Row,
  withGateway,
} from "../../../test/apply-cases.ts";
import { integer, string } from "./custom-cases.ts";
import { definitionOf, definitionsPath, group, versionOf } from "./custom-fixture.ts";

const listOf = (items: JsonSchema, rest: JsonSchema = {}): JsonSchema => ({
  type: "array",
  items,
  ...rest,
});
const mapOf = (...keys: string[]): JsonSchema => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
});
const object = (properties: Readonly<Record<string, JsonSchema>>, rest: JsonSchema = {}) =>
  ({ type: "object", properties, ...rest }) as const satisfies JsonSchema;

const port = object(
  { port: integer, protocol: { ...string, default: "TCP" }, name: string },
  { required: ["port"] },
);
const rule = object(
  { name: string, paths: listOf(string, { "x-kubernetes-list-type": "set" }), weight: integer },
  { required: ["name"] },
);
const schema = object({
  spec: object({
    size: { ...integer, default: 1 },
    part: object({ a: string, b: string }),
    whole: object({ a: string, b: string }, { "x-kubernetes-map-type": "atomic" }),
    labels: { type: "object", additionalProperties: string },
    members: { type: "object", additionalProperties: object({ a: string, b: string }) },
    plain: listOf(string),
    records: listOf(object({ a: string })),
    set: listOf(string, { "x-kubernetes-list-type": "set" }),
    ports: listOf(port, mapOf("port", "protocol")),
    rules: listOf(
      object({ host: string, rules: listOf(rule, mapOf("name")) }, { required: ["host"] }),
      mapOf("host"),
    ),
    amount: { "x-kubernetes-int-or-string": true },
    any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    embedded: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    },
    maybe: { ...string, nullable: true },
  }),
  status: object({ seen: integer }),
});

const things = {
  path: `/apis/${group}/v1/namespaces/default/things`,
  apiVersion: `${group}/v1`,
  kind: "Thing",
};
const spec = (fields: object) => ({ spec: fields });
const rows: readonly Row[] = [
  [
    "owns fields, not what is there by default",
    things,
    [apply("a", spec({ part: { a: "1" } }))],
    {
      code: 201,
      object: spec({ size: 1, part: { a: "1" } }),
      owners: { a: [".spec.part.a"] },
    },
  ],
  [
    "shares an object by its fields",
    things,
    [apply("a", spec({ part: { a: "1" } })), apply("b", spec({ part: { b: "1" } }))],
    {
      object: spec({ part: { a: "1", b: "1" } }),
      owners: { a: [".spec.part.a"], b: [".spec.part.b"] },
    },
  ],
  [
    "is refused a field of another one",
    things,
    [apply("a", spec({ part: { a: "1" } })), apply("b", spec({ part: { a: "2" } }))],
    { code: 409, message: 'Apply failed with 1 conflict: conflict with "a": .spec.part.a' },
  ],
  [
    "takes a field of another one by force",
    things,
    [apply("a", spec({ part: { a: "1", b: "1" } })), force("b", spec({ part: { a: "2" } }))],
    {
      object: spec({ part: { a: "2", b: "1" } }),
      owners: { a: [".spec.part.b"], b: [".spec.part.a"] },
    },
  ],
  [
    "does not share an object that is one whole",
    things,
    [apply("a", spec({ whole: { a: "1" } })), apply("b", spec({ whole: { b: "1" } }))],
    { code: 409, message: 'conflict with "a": .spec.whole' },
  ],
  [
    "replaces an object that is one whole",
    things,
    [apply("a", spec({ whole: { a: "1" } })), apply("a", spec({ whole: { b: "1" } }))],
    {
      object: spec({ whole: { b: "1" } }),
      absent: ["spec.whole.a"],
      owners: { a: [".spec.whole"] },
    },
  ],
  [
    "shares a map by its members",
    things,
    [
      apply("a", spec({ labels: { x: "1" } })),
      apply("b", spec({ labels: { y: "1" } })),
      apply("a", spec({ size: 2 })),
    ],
    {
      object: spec({ labels: { y: "1" }, size: 2 }),
      absent: ["spec.labels.x"],
      owners: { a: [".spec.size"], b: [".spec.labels.y"] },
    },
  ],
  [
    "shares a member that is an object",
    things,
    [
      apply("a", spec({ members: { x: { a: "1" } } })),
      apply("b", spec({ members: { x: { b: "1" } } })),
    ],
    {
      object: spec({ members: { x: { a: "1", b: "1" } } }),
      owners: {
        a: [".spec.members.x", ".spec.members.x.a"],
        b: [".spec.members.x", ".spec.members.x.b"],
      },
    },
  ],
  [
    "does not share a list without a type",
    things,
    [apply("a", spec({ plain: ["x"] })), apply("b", spec({ plain: ["x", "y"] }))],
    { code: 409, message: 'conflict with "a": .spec.plain' },
  ],
  [
    "does not look into a list without a type",
    things,
    [
      apply("a", spec({ records: [{ a: "1" }, { a: "1" }] })),
      force("b", spec({ records: [{ a: "2" }] })),
    ],
    { object: spec({ records: [{ a: "2" }] }), owners: { b: [".spec.records"] } },
  ],
  [
    "shares a set by its items",
    things,
    [
      apply("a", spec({ set: ["x", "y"] })),
      apply("b", spec({ set: ["y", "z"] })),
      apply("a", spec({ set: ["x"] })),
    ],
    {
      object: spec({ set: ["x", "y", "z"] }),
      owners: { a: ['.spec.set[="x"]'], b: ['.spec.set[="y"]', '.spec.set[="z"]'] },
    },
  ],
  [
    "states no item of a set twice",
    things,
    [apply("a", spec({ set: ["x", "x"] }))],
    { code: 400, message: '.spec.set: duplicate entries for key [="x"]' },
  ],
  [
    "knows items by several fields, one of them by default",
    things,
    [
      apply("a", spec({ ports: [{ port: 53 }] })),
      apply("b", spec({ ports: [{ port: 53, protocol: "UDP", name: "dns" }] })),
    ],
    {
      object: spec({
        ports: [
          { port: 53, protocol: "TCP" },
          { port: 53, protocol: "UDP", name: "dns" },
        ],
      }),
      owners: {
        a: ['.spec.ports[port=53,protocol="TCP"]', '.spec.ports[port=53,protocol="TCP"].port'],
        b: [
          '.spec.ports[port=53,protocol="UDP"]',
          ...["name", "port", "protocol"].map(
            (field) => `.spec.ports[port=53,protocol="UDP"].${field}`,
          ),
        ],
      },
    },
  ],
  [
    "is refused a field of an item of another one",
    things,
    [
      apply("a", spec({ ports: [{ port: 80, name: "http" }] })),
      apply("b", spec({ ports: [{ port: 80, protocol: "TCP", name: "web" }] })),
    ],
    { code: 409, message: 'conflict with "a": .spec.ports[port=80,protocol="TCP"].name' },
  ],
  [
    "states no item twice",
    things,
    [apply("a", spec({ ports: [{ port: 80 }, { port: 80, protocol: "TCP" }] }))],
    {
      code: 400,
      message: '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
    },
  ],
  [
    "states no item without its key",
    things,
    [apply("a", spec({ rules: [{ rules: [] }] }))],
    {
      code: 400,
      message:
        ".spec.rules: element 0: associative list with keys has an element that omits all key fields",
    },
  ],
  [
    "takes its item away, and leaves what another one states of it",
    things,
    [
      apply("a", spec({ ports: [{ port: 80, name: "http" }, { port: 81 }] })),
      apply("b", spec({ ports: [{ port: 80 }] })),
      apply("a", spec({ size: 2 })),
    ],
    {
      object: spec({ ports: [{ port: 80, protocol: "TCP" }] }),
      absent: ["spec.ports.0.name", "spec.ports.1"],
    },
  ],
  [
    "shares lists in items of lists",
    things,
    [
      apply(
        "a",
        spec({ rules: [{ host: "h", rules: [{ name: "r", paths: ["/a"], weight: 1 }] }] }),
      ),
      apply("b", spec({ rules: [{ host: "h", rules: [{ name: "r", paths: ["/b"] }] }] })),
      apply("a", spec({ rules: [{ host: "h", rules: [{ name: "r", paths: [] }] }] })),
    ],
    {
      object: spec({ rules: [{ host: "h", rules: [{ name: "r", paths: ["/b"] }] }] }),
      absent: ["spec.rules.0.rules.0.weight"],
    },
  ],
  [
    "is refused a field deep in items of another one, by its path",
    things,
    [
      apply("a", spec({ rules: [{ host: "h", rules: [{ name: "r", weight: 1 }] }] })),
      apply("b", spec({ rules: [{ host: "h", rules: [{ name: "r", weight: 2 }] }] })),
    ],
    {
      code: 409,
      message: 'conflict with "a": .spec.rules[host="h"].rules[name="r"].weight',
    },
  ],
  [
    "of a number where a text was is a conflict",
    things,
    [apply("a", spec({ amount: "50%" })), apply("b", spec({ amount: 50 }))],
    { code: 409, message: 'conflict with "a": .spec.amount' },
  ],
  [
    "keeps fields that nobody knows, and shares them",
    things,
    [apply("a", spec({ any: { x: { y: "1" } } })), apply("b", spec({ any: { x: { z: "1" } } }))],
    {
      object: spec({ any: { x: { y: "1", z: "1" } } }),
      owners: {
        a: [".spec.any.x", ".spec.any.x.y"],
        b: [".spec.any.x", ".spec.any.x.z"],
      },
    },
  ],
  [
    "does not share a list that nobody knows",
    things,
    [apply("a", spec({ any: { x: ["1"] } })), apply("b", spec({ any: { x: ["2"] } }))],
    { code: 409, message: 'conflict with "a": .spec.any.x' },
  ],
  [
    "knows the metadata of an object in it",
    things,
    [
      apply(
        "a",
        spec({ embedded: { apiVersion: "v1", kind: "X", metadata: { labels: { a: "1" } } } }),
      ),
      apply("b", spec({ embedded: { metadata: { labels: { b: "1" } } } })),
    ],
    { object: spec({ embedded: { kind: "X", metadata: { labels: { a: "1", b: "1" } } } }) },
  ],
  [
    "owns null where it may be",
    things,
    [apply("a", spec({ maybe: null })), apply("b", spec({ maybe: "x" }))],
    { code: 409, message: 'conflict with "a": .spec.maybe' },
  ],
  [
    "must know the fields",
    things,
    [apply("a", spec({ sise: 1 }))],
    { code: 400, message: ".spec.sise: field not declared in schema" },
  ],
  [
    "must be of the types",
    things,
    [apply("a", spec({ size: "1" }))],
    { code: 400, message: ".spec.size: expected numeric (int or float), got string" },
  ],
  [
    "of a status through the object is nothing",
    things,
    [apply("a", { ...spec({ size: 2 }), status: { seen: 1 } })],
    { absent: ["status.seen"], owners: { a: [".spec.size"] } },
  ],
  [
    "of a status, by its own entry",
    things,
    [apply("a", spec({ size: 2 })), apply("s", { status: { seen: 1 } }, { sub: "status" })],
    {
      object: { status: { seen: 1 } },
      owners: { a: [".spec.size"], "s/status": [".status.seen"] },
    },
  ],
  [
    "a merge patch takes without asking",
    things,
    [
      apply("a", spec({ set: ["x"], size: 2 })),
      merge("u", spec({ set: ["x", "y"] })),
      json("u", [{ op: "replace", path: "/spec/size", value: 3 }]),
    ],
    {
      object: spec({ set: ["x", "y"], size: 3 }),
      owners: { a: ['.spec.set[="x"]'], "u!": [".spec.size", '.spec.set[="y"]'] },
    },
  ],
  [
    "is refused what a create set",
    things,
    [post("u", spec({ labels: { x: "1" } })), apply("a", spec({ labels: { x: "2" } }))],
    { code: 409, message: `conflict with "u" using ${group}/v1: .spec.labels.x` },
  ],
];

describe("an apply of a user's kind", () => {
  const client = withGateway();
  beforeAll(async () => {
    const body = definitionOf("Thing", [versionOf("v1", schema, { subresources: { status: {} } })]);
    await client.call("POST", definitionsPath, { body });
  });
  expectRows(rows);
});
