import { describe, expect, test } from "vitest";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { jsonPatch } from "../../../libs/model/json-patch.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

const { schema } = deployment;
const withContainers = (...containers: object[]) => ({
  spec: { template: { spec: { containers } } },
});
const web = { name: "web", image: "web:1", env: [{ name: "A", value: "1" }] };
const side = { name: "side", image: "side:1" };

test("a merge patch removes by null, merges objects and replaces lists", () => {
  const target = { a: { b: 1, c: 2 }, list: [1, 2] };
  expect(mergePatch(target, { a: { b: null, d: 3 }, list: [3] })).toEqual({
    a: { c: 2, d: 3 },
    list: [3],
  });
  expect(target.a).toEqual({ b: 1, c: 2 });
});

describe("a JSON patch", () => {
  test("is made on a copy", () => {
    const target = { a: [1], b: 2 };
    const patch = [
      { op: "test", path: "/b", value: 2 },
      { op: "add", path: "/a/-", value: 3 },
      { op: "remove", path: "/b" },
    ];
    expect(jsonPatch(target, patch)).toEqual({ a: [1, 3] });
    expect(target).toEqual({ a: [1], b: 2 });
  });

  test.each([
    ["no patch", { op: "add" }, "BadRequest"],
    ["a failed test", [{ op: "test", path: "/a", value: 9 }], "Invalid"],
    ["a missing path", [{ op: "remove", path: "/nope" }], "Invalid"],
    ["a member of what a number is", [{ op: "copy", from: "/a/toFixed", path: "/b" }], "Invalid"],
    ["a member of what a list is", [{ op: "add", path: "/list/push/x", value: 1 }], "Invalid"],
    ["a prototype", [{ op: "add", path: "/__proto__", value: {} }], "Invalid"],
    [
      "a prototype's member",
      [{ op: "add", path: "/constructor/prototype/x", value: 1 }],
      "Invalid",
    ],
    ["an index beyond the end", [{ op: "add", path: "/list/2", value: 1 }], "Invalid"],
    ["an index that is none", [{ op: "replace", path: "/list/00", value: 1 }], "Invalid"],
    ["what comes after the end", [{ op: "remove", path: "/list/-" }], "Invalid"],
    ["a move into itself", [{ op: "move", from: "/list", path: "/list/0" }], "Invalid"],
  ])("refuses %s", (_name, patch, reason) => {
    const target = { a: 1, list: [1] };
    expect(() => jsonPatch(target, patch)).toThrow(expect.objectContaining({ reason }));
    expect(target).toEqual({ a: 1, list: [1] });
  });

  test.each([
    [
      { op: "add", path: "/list/0", value: 0 },
      { a: 1, list: [0, 1, 2] },
    ],
    [
      { op: "add", path: "/list/2", value: 3 },
      { a: 1, list: [1, 2, 3] },
    ],
    [
      { op: "replace", path: "/list/0", value: null },
      { a: 1, list: [null, 2] },
    ],
    [{ op: "replace", path: "", value: 5 }, 5],
    [
      { op: "remove", path: "/list/0" },
      { a: 1, list: [2] },
    ],
    [
      { op: "move", from: "/list/0", path: "/a" },
      { a: 1, list: [2] },
    ],
    [
      { op: "copy", from: "/list", path: "/x~1y~0z" },
      { a: 1, list: [1, 2], "x/y~z": [1, 2] },
    ],
    [
      { op: "test", path: "/none", value: null },
      { a: 1, list: [1, 2] },
    ],
    [
      { op: "add", path: "/constructor", value: 1 },
      { a: 1, list: [1, 2], constructor: 1 },
    ],
  ])("%j is applied", (operation, result) => {
    expect(jsonPatch({ a: 1, list: [1, 2] }, [operation])).toEqual(result);
  });
});

describe("a strategic merge patch", () => {
  test("takes a field by a name that objects inherit as any other", () => {
    const patch = { spec: { constructor: { a: [1] }, toString: [{ name: "x" }] } };
    expect(strategicMergePatch({}, patch, schema)).toEqual(patch);
  });

  test("merges containers by name and their environment too", () => {
    const patch = withContainers({ name: "web", image: "web:2", env: [{ name: "B", value: "2" }] });
    expect(strategicMergePatch(withContainers(web, side), patch, schema)).toEqual(
      withContainers(
        { ...web, image: "web:2", env: [{ name: "B", value: "2" }, ...web.env] },
        side,
      ),
    );
  });

  test("deletes an item, replaces a list, and sets an order", () => {
    const deleted = withContainers({ name: "web", $patch: "delete" });
    expect(strategicMergePatch(withContainers(web, side), deleted, schema)).toEqual(
      withContainers(side),
    );
    const replaced = withContainers({ $patch: "replace" }, side);
    expect(strategicMergePatch(withContainers(web), replaced, schema)).toEqual(
      withContainers(side),
    );
    const order = [{ name: "side" }, { name: "web" }];
    const patch = {
      spec: { template: { spec: { containers: [side], "$setElementOrder/containers": order } } },
    };
    expect(strategicMergePatch(withContainers(web, side), patch, schema)).toEqual(
      withContainers(side, web),
    );
  });

  test("keeps only retained keys of a strategy", () => {
    const target = {
      spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } },
    };
    const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    expect(strategicMergePatch(target, patch, schema)).toEqual({
      spec: { strategy: { type: "Recreate" } },
    });
  });

  test("refuses an item without its merge key", () => {
    const patch = withContainers({ image: "x" });
    expect(() => strategicMergePatch(withContainers(web), patch, schema)).toThrow(
      "merge key: name",
    );
  });
});
