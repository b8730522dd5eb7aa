/** Kubernetes' strategic merge, case by case: what becomes of a target, or what the patch is refused for. */
import { describe, expect, test } from "vitest";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { service } from "../../../libs/model/kinds/service.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

type Case = readonly [name: string, target: object, patch: object, result: object | string];

const containers = (...list: object[]) => ({ spec: { containers: list } });
const env = (...list: object[]) => containers({ name: "a", env: list });
const volumes = (...list: object[]) => ({ spec: { volumes: list } });
const tolerations = (...list: object[]) => ({ spec: { tolerations: list } });
const finalizers = (...list: unknown[]) => ({ metadata: { finalizers: list } });
const [a, b, c] = [
  { name: "a", image: "a:1" },
  { name: "b", image: "b:1" },
  { name: "c", image: "c:1" },
];
const names = (...list: string[]) => list.map((name) => ({ name }));

const ofPods: readonly Case[] = [
  [
    "a field is set",
    { spec: { nodeName: "x" } },
    { spec: { nodeName: "y" } },
    { spec: { nodeName: "y" } },
  ],
  ["a field is added", {}, { spec: { nodeName: "y" } }, { spec: { nodeName: "y" } }],
  [
    "null removes a field",
    { spec: { nodeName: "x", hostname: "h" } },
    { spec: { nodeName: null } },
    { spec: { hostname: "h" } },
  ],
  [
    "null removes an object",
    { spec: { securityContext: { runAsUser: 1 } } },
    { spec: { securityContext: null } },
    { spec: {} },
  ],
  ["null removes a list", containers(a), { spec: { containers: null } }, { spec: {} }],
  [
    "null of what is not there is nothing",
    { spec: {} },
    { spec: { nodeName: null } },
    { spec: {} },
  ],
  [
    "nulls in what is not there are dropped",
    {},
    { spec: { nodeName: null, hostname: "h" } },
    { spec: { hostname: "h" } },
  ],
  [
    "a map is merged by its members",
    { metadata: { labels: { x: "1", y: "2" } } },
    { metadata: { labels: { y: "3", x: null } } },
    { metadata: { labels: { y: "3" } } },
  ],
  [
    "an object takes the place of a text",
    { spec: "x" },
    { spec: { nodeName: "y" } },
    { spec: { nodeName: "y" } },
  ],
  ["an empty patch changes nothing", containers(a), {}, containers(a)],
  [
    "a list without a strategy is replaced",
    tolerations({ key: "x" }),
    tolerations({ key: "y" }),
    tolerations({ key: "y" }),
  ],
  [
    "a list without a strategy is emptied",
    tolerations({ key: "x" }),
    { spec: { tolerations: [] } },
    { spec: { tolerations: [] } },
  ],
  [
    "an item is merged by its key",
    containers(a, b),
    containers({ name: "b", image: "b:2" }),
    containers(a, { name: "b", image: "b:2" }),
  ],
  ["a new item comes first", containers(a), containers(c), containers(c, a)],
  [
    "a new item keeps its place in the patch",
    containers(a, b),
    containers({ name: "a" }, c),
    containers(a, c, b),
  ],
  [
    "items keep the order of the patch",
    containers(a, b, c),
    containers({ name: "c" }, { name: "a" }),
    containers(b, c, a),
  ],
  ["an empty list merges nothing", containers(a), { spec: { containers: [] } }, containers(a)],
  [
    "items of items are merged",
    env({ name: "X", value: "1" }),
    env({ name: "X", value: "2" }),
    env({ name: "X", value: "2" }),
  ],
  [
    "null removes a field of an item",
    containers(a),
    containers({ name: "a", image: null }),
    containers({ name: "a" }),
  ],
  [
    "nulls of a new item are dropped",
    containers(a),
    containers({ name: "d", image: null }),
    containers({ name: "d" }, a),
  ],
  [
    "items of one key are merged once",
    containers(a, a),
    containers({ name: "a", image: "x" }),
    containers({ name: "a", image: "x" }, a),
  ],
  [
    "$patch: delete removes an item",
    containers(a, b),
    containers({ name: "a", $patch: "delete" }),
    containers(b),
  ],
  [
    "$patch: delete removes all items of a key",
    containers(a, a, b),
    containers({ name: "a", $patch: "delete" }),
    containers(b),
  ],
  [
    "$patch: delete of what is not there is nothing",
    containers(a),
    containers({ name: "z", $patch: "delete" }),
    containers(a),
  ],
  [
    "$patch: delete in a list that is not there is nothing",
    {},
    containers({ name: "z", $patch: "delete" }, a),
    containers(a),
  ],
  [
    "$patch: delete comes before what is merged, wherever it stands",
    containers(a, b),
    containers({ name: "a", image: "new" }, { name: "a", $patch: "delete" }),
    containers({ name: "a", image: "new" }, b),
  ],
  [
    "$patch: delete of a nested item",
    env({ name: "X" }, { name: "Y" }),
    env({ name: "X", $patch: "delete" }),
    env({ name: "Y" }),
  ],
  [
    "$patch: replace replaces a list",
    containers(a, b),
    containers({ $patch: "replace" }, c),
    containers(c),
  ],
  [
    "$patch: replace empties a list",
    containers(a, b),
    containers({ $patch: "replace" }),
    { spec: { containers: [] } },
  ],
  [
    "$patch: replace may come last",
    containers(a, b),
    containers(c, { $patch: "replace" }),
    containers(c),
  ],
  [
    "$patch: replace replaces a map",
    { metadata: { labels: { x: "1" } } },
    { metadata: { labels: { $patch: "replace", y: "2" } } },
    { metadata: { labels: { y: "2" } } },
  ],
  [
    "$patch: delete empties a map",
    { metadata: { labels: { x: "1" } } },
    { metadata: { labels: { $patch: "delete" } } },
    { metadata: { labels: {} } },
  ],
  [
    "$patch: delete of a map that is not there is nothing",
    { metadata: {} },
    { metadata: { labels: { $patch: "delete" } } },
    { metadata: {} },
  ],
  [
    "$patch: replace replaces the whole",
    { ...containers(a), metadata: { name: "p" } },
    { $patch: "replace", metadata: { name: "q" } },
    { metadata: { name: "q" } },
  ],
  [
    "$patch: merge is no directive of a map",
    { metadata: { labels: { x: "1" } } },
    { metadata: { labels: { $patch: "merge" } } },
    'unknown patch type: "merge"',
  ],
  [
    "$patch: merge is not yet one of a list",
    containers(a),
    containers({ name: "a", $patch: "merge" }),
    "merging lists cannot yet be specified in the patch",
  ],
  [
    "another $patch is refused in a list",
    containers(a),
    containers({ name: "a", $patch: "remove" }),
    'unknown patch type: "remove"',
  ],
  [
    "another $patch is refused in a map",
    { spec: {} },
    { spec: { $patch: 1 } },
    "unknown patch type: 1",
  ],
  [
    "an item without its key is refused",
    containers(a),
    containers({ image: "x" }),
    "does not contain declared merge key: name",
  ],
  [
    "a deletion without its key is refused",
    containers(a),
    containers({ $patch: "delete" }),
    "does not contain declared merge key: name",
  ],
  [
    "an item that is no object is refused",
    containers(a),
    { spec: { containers: ["a"] } },
    "an item of a list merged by name is no object",
  ],
  ["a list of texts grows", finalizers("x"), finalizers("y"), finalizers("y", "x")],
  [
    "a list of texts holds each once",
    finalizers("x", "y"),
    finalizers("y", "z"),
    finalizers("x", "y", "z"),
  ],
  [
    "$deleteFromPrimitiveList removes texts",
    finalizers("x", "y"),
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["x"] } },
    finalizers("y"),
  ],
  [
    "$deleteFromPrimitiveList removes, and the patch adds",
    finalizers("x", "y"),
    { metadata: { finalizers: ["z"], "$deleteFromPrimitiveList/finalizers": ["x"] } },
    finalizers("z", "y"),
  ],
  [
    "$deleteFromPrimitiveList of what is not there is nothing",
    { metadata: {} },
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["x"] } },
    { metadata: {} },
  ],
  [
    "$deleteFromPrimitiveList that is no list is nothing",
    finalizers("x"),
    { metadata: { "$deleteFromPrimitiveList/finalizers": "x" } },
    finalizers("x"),
  ],
  [
    "$setElementOrder orders a list",
    containers(a, b),
    { spec: { "$setElementOrder/containers": names("b", "a") } },
    containers(b, a),
  ],
  [
    "$setElementOrder orders what is merged",
    containers(a, b),
    { spec: { containers: [c], "$setElementOrder/containers": names("a", "c", "b") } },
    containers(a, c, b),
  ],
  [
    "$setElementOrder leaves others before those that they were before",
    containers(a, b, c),
    { spec: { "$setElementOrder/containers": names("c", "a") } },
    containers(b, c, a),
  ],
  [
    "$setElementOrder orders texts",
    finalizers("x", "y"),
    { metadata: { "$setElementOrder/finalizers": ["y", "x"] } },
    finalizers("y", "x"),
  ],
  [
    "$setElementOrder of a list that comes with it",
    {},
    { spec: { containers: [a, b], "$setElementOrder/containers": names("a", "b") } },
    containers(a, b),
  ],
  [
    "$setElementOrder of what is not there is nothing",
    { spec: {} },
    { spec: { "$setElementOrder/containers": names("a") } },
    { spec: {} },
  ],
  [
    "$setElementOrder with a deletion",
    containers(a, b),
    {
      spec: {
        containers: [{ name: "a", $patch: "delete" }],
        "$setElementOrder/containers": names("b"),
      },
    },
    containers(b),
  ],
  [
    "$setElementOrder that is no list is refused",
    containers(a),
    { spec: { "$setElementOrder/containers": {} } },
    "invalid patch format of setElementOrder list",
  ],
  [
    "$setElementOrder without keys is refused",
    containers(a),
    { spec: { "$setElementOrder/containers": [{}] } },
    "does not contain declared merge key: name",
  ],
  [
    "$setElementOrder that does not name all is refused",
    containers(a),
    { spec: { containers: [b], "$setElementOrder/containers": names("a") } },
    "does not match the $setElementOrder list",
  ],
  [
    "$setElementOrder in another order is refused",
    containers(a),
    { spec: { containers: [b, c], "$setElementOrder/containers": names("c", "b") } },
    "does not match the $setElementOrder list",
  ],
  [
    "$retainKeys clears what it does not name",
    volumes({ name: "v", emptyDir: {} }),
    volumes({ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }),
    volumes({ name: "v", hostPath: { path: "/x" } }),
  ],
  [
    "$retainKeys keeps what it names",
    volumes({ name: "v", emptyDir: {} }),
    volumes({ name: "v", $retainKeys: ["name", "emptyDir"], emptyDir: { medium: "Memory" } }),
    volumes({ name: "v", emptyDir: { medium: "Memory" } }),
  ],
  [
    "$retainKeys of a new item says nothing",
    { spec: {} },
    volumes({ name: "v", $retainKeys: ["name"] }),
    volumes({ name: "v" }),
  ],
  [
    "$retainKeys must name what the patch states",
    volumes({ name: "v" }),
    volumes({ name: "v", $retainKeys: ["name"], emptyDir: {} }),
    "invalid patch format of retainKeys",
  ],
  [
    "$retainKeys must be a list",
    volumes({ name: "v" }),
    volumes({ name: "v", $retainKeys: "name" }),
    "invalid patch format of retainKeys",
  ],
  [
    "$retainKeys need not name what the patch removes",
    volumes({ name: "v", emptyDir: {} }),
    volumes({ name: "v", $retainKeys: ["name"], emptyDir: null }),
    volumes({ name: "v" }),
  ],
  [
    "a field that objects inherit is one as any other",
    {},
    { spec: { constructor: [1] } },
    { spec: { constructor: [1] } },
  ],
];

function expectCases(
  cases: readonly Case[],
  schema: typeof pod.schema | typeof service.schema | typeof deployment.schema,
): void {
  test.each(cases)("%s", (_name, target, patch, result) => {
    const before = structuredClone({ target, patch });
    if (typeof result === "string") {
      const refusal = { reason: "BadRequest", message: expect.stringContaining(result) };
      expect(() => strategicMergePatch(target, patch, schema)).toThrow(
        expect.objectContaining(refusal),
      );
    } else {
      expect(strategicMergePatch(target, patch, schema)).toEqual(result);
    }
    expect({ target, patch }).toEqual(before);
  });
}

describe("of a pod", () => {
  expectCases(ofPods, pod.schema);
});

describe("of a Service", () => {
  expectCases(
    [
      [
        "ports are merged by their number alone",
        { spec: { ports: [{ port: 53, protocol: "TCP" }] } },
        { spec: { ports: [{ port: 53, protocol: "UDP" }] } },
        { spec: { ports: [{ port: 53, protocol: "UDP" }] } },
      ],
      [
        "a selector is merged, though it is one whole to who applies",
        { spec: { selector: { a: "1" } } },
        { spec: { selector: { b: "2" } } },
        { spec: { selector: { a: "1", b: "2" } } },
      ],
    ],
    service.schema,
  );
});

describe("of a Deployment", () => {
  expectCases(
    [
      [
        "a strategy retains what the patch says",
        { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } },
        { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
        { spec: { strategy: { type: "Recreate" } } },
      ],
      [
        "what kubectl set image sends",
        { spec: { template: { spec: { containers: [a, b] } } } },
        {
          spec: {
            template: {
              spec: {
                "$setElementOrder/containers": names("a", "b"),
                containers: [{ name: "b", image: "b:2" }],
              },
            },
          },
        },
        { spec: { template: { spec: { containers: [a, { name: "b", image: "b:2" }] } } } },
      ],
    ],
    deployment.schema,
  );
});

test("a patch that is no object is refused", () => {
  expect(() => strategicMergePatch({}, [], pod.schema)).toThrow("the patch must be an object");
});
