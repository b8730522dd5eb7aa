/** Custom resources through a gateway in memory: definitions, objects, and what they are served with. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonSchema } from "../../../libs/model/extensions/json-schema.ts";
import { type Answer, type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { integer, rows, rules, string } from "./custom-cases.ts";
import { definitionOf, definitionsPath, group, versionOf, withSpec } from "./custom-fixture.ts";

let gateway: MemoryGateway;
let client: HttpsClient;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
});
afterAll(async () => gateway?.[Symbol.asyncDispose]());

let kinds = 0;
/** A kind that no other test has, served with this schema. */
async function served(schema: JsonSchema, rest: Readonly<Record<string, unknown>> = {}) {
  kinds += 1;
  const kind = `Thing${kinds}`;
  const made = await client.call("POST", definitionsPath, {
    body: definitionOf(kind, [versionOf("v1", schema, rest)]),
  });
  expect(made.text).not.toContain("Failure");
  return kindAt(kind);
}

const kindAt = (kind: string, version = "v1") => {
  const path = `/apis/${group}/${version}/namespaces/default/${kind.toLowerCase()}s`;
  return { kind, apiVersion: `${group}/${version}`, path };
};

const objectOf = (
  { kind, apiVersion }: { readonly kind: string; readonly apiVersion: string },
  name: string,
  rest: Readonly<Record<string, unknown>>,
) => ({ apiVersion, kind, metadata: { name }, ...rest });

const causesOf = ({ body }: Answer): readonly string[] => {
  const { details } = body as { details?: { causes?: { field: string; message: string }[] } };
  return (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
};

describe("an object of a user's kind", () => {
  test.each(rows)("$name", async ({ schema, spec, refused, kept, warned }) => {
    const at = await served(schema);
    const body = objectOf(at, "object-1", { spec });
    const made = await client.call("POST", at.path, { body });
    if (refused !== undefined) {
      expect(causesOf(made)).toEqual(refused);
      expect(made.code).toBe(422);
      return;
    }
    expect(made.text).not.toContain("Failure");
    if (kept !== undefined) {
      const read = await client.call("GET", `${at.path}/object-1`);
      expect(read.body["spec"]).toEqual(kept);
    }
    if (warned === undefined) return;
    expect(made.warnings).toEqual(warned.map((field) => `299 - "unknown field \\"${field}\\""`));
    const strict = await client.call("POST", `${at.path}?fieldValidation=Strict`, { body });
    expect(strict.code).toBe(400);
  });
});

describe("an update of an object of a user's kind", () => {
  test("is judged by transition rules", async () => {
    const at = await served(
      withSpec({
        a: { ...integer, ...rules({ rule: "self >= oldSelf", message: "may only grow" }) },
        b: {
          ...string,
          ...rules({
            rule: "oldSelf.hasValue() ? self == oldSelf.value() : self == 'first'",
            optionalOldSelf: true,
          }),
        },
      }),
    );
    const wrong = await client.call("POST", at.path, {
      body: objectOf(at, "one", { spec: { b: "other" } }),
    });
    expect(wrong.code).toBe(422);
    await client.call("POST", at.path, {
      body: objectOf(at, "one", { spec: { a: 2, b: "first" } }),
    });
    const less = await client.call("PATCH", `${at.path}/one`, merge({ spec: { a: 1 } }));
    expect(causesOf(less)).toEqual(["spec.a: Invalid value: 1: may only grow"]);
    const more = await client.call("PATCH", `${at.path}/one`, merge({ spec: { a: 3 } }));
    expect(more).toMatchObject({
      code: 200,
      body: { spec: { a: 3 }, metadata: { generation: 2 } },
    });
  });

  test("is not judged for what it leaves as it was", async () => {
    const kind = "Ratchet";
    const at = kindAt(kind);
    const strict = (schema: JsonSchema) =>
      definitionOf(kind, [versionOf("v1", withSpec({ a: schema, b: string }))]);
    await client.call("POST", definitionsPath, { body: strict(string) });
    await client.call("POST", at.path, {
      body: objectOf(at, "one", { spec: { a: "LOUD", b: "x" } }),
    });
    const path = `${definitionsPath}/ratchets.${group}`;
    const changed = await client.call(
      "PATCH",
      path,
      merge({
        spec: strict({ type: "string", pattern: "^[a-z]+$", ...rules({ rule: "self != 'LOUD'" }) })
          .spec,
      }),
    );
    expect(changed.code).toBe(200);
    expect((await client.call("PATCH", `${at.path}/one`, merge({ spec: { b: "y" } }))).code).toBe(
      200,
    );
    const again = await client.call("PATCH", `${at.path}/one`, merge({ spec: { a: "LOUDER" } }));
    expect(causesOf(again)).toEqual([
      `spec.a: Invalid value: "LOUDER": spec.a in body should match '^[a-z]+$'`,
    ]);
  });

  test("gets defaults that came later when it is read", async () => {
    const kind = "Later";
    const at = kindAt(kind);
    const definition = (schema: JsonSchema) =>
      definitionOf(kind, [versionOf("v1", withSpec({ a: string, b: schema }))]);
    await client.call("POST", definitionsPath, { body: definition(string) });
    await client.call("POST", at.path, { body: objectOf(at, "one", { spec: { a: "x" } }) });
    await client.call(
      "PATCH",
      `${definitionsPath}/laters.${group}`,
      merge({ spec: definition({ type: "string", default: "new" }).spec }),
    );
    expect((await client.call("GET", `${at.path}/one`)).body["spec"]).toEqual({ a: "x", b: "new" });
    const { items } = (await client.call("GET", at.path)).body as { items: { spec: unknown }[] };
    expect(items.map(({ spec }) => spec)).toEqual([{ a: "x", b: "new" }]);
  });

  test("takes a JSON patch and server-side apply, no strategic merge and no protobuf", async () => {
    const at = await served(
      withSpec({
        list: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: string, value: string },
          },
        },
      }),
    );
    const apply = (manager: string, list: unknown) =>
      client.call("PATCH", `${at.path}/one?fieldManager=${manager}`, {
        contentType: "application/apply-patch+yaml",
        body: objectOf(at, "one", { spec: { list } }),
      });
    expect((await apply("a", [{ name: "x", value: "1" }])).code).toBe(201);
    const both = await apply("b", [{ name: "y", value: "2" }]);
    expect(both.body["spec"]).toEqual({
      list: [
        { name: "x", value: "1" },
        { name: "y", value: "2" },
      ],
    });
    const conflict = await apply("b", [{ name: "x", value: "3" }]);
    expect(conflict.code).toBe(409);
    const patched = await client.call("PATCH", `${at.path}/one`, {
      contentType: "application/json-patch+json",
      body: [{ op: "replace", path: "/spec/list/0/value", value: "9" }],
    });
    expect(patched).toMatchObject({
      code: 200,
      body: { spec: { list: [{ name: "x", value: "9" }, { name: "y" }] } },
    });
    for (const contentType of ["application/strategic-merge-patch+json"]) {
      const refused = await client.call("PATCH", `${at.path}/one`, { contentType, body: {} });
      expect(refused).toMatchObject({ code: 415, body: { reason: "UnsupportedMediaType" } });
    }
    const contentType = "application/vnd.kubernetes.protobuf";
    expect((await client.call("POST", at.path, { contentType, bytes: "k8s\0" })).code).toBe(415);
  });
});

const merge = (body: unknown) => ({ contentType: "application/merge-patch+json", body });

describe("a user's kind is served", () => {
  test("in discovery, and goes from it", async () => {
    const body = definitionOf(
      "Gadget",
      [versionOf("v1beta1"), { ...versionOf("v1"), storage: false }],
      {
        names: { shortNames: ["gd"], categories: ["all"], singular: "gadget" },
      },
    );
    await client.call("POST", definitionsPath, { body });
    const list = await client.call("GET", `/apis/${group}/v1`);
    const found = (list.body as { resources: { name: string }[] }).resources.find(
      ({ name }) => name === "gadgets",
    );
    expect(found).toMatchObject({
      kind: "Gadget",
      shortNames: ["gd"],
      categories: ["all"],
      singularName: "gadget",
      namespaced: true,
    });
    const one = await client.call("GET", `/apis/${group}`);
    expect(one.body).toMatchObject({ name: group, preferredVersion: { version: "v1" } });
    const all = await client.call("GET", "/apis", {
      accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    });
    expect(all.text).toContain('"resource":"gadgets"');
    const document = await client.call("GET", `/openapi/v3/apis/${group}/v1`);
    expect(document.text).toContain('"kind":"Gadget"');
    await client.call("DELETE", `${definitionsPath}/gadgets.${group}`, { body: {} });
    await client.call(
      "PATCH",
      `${definitionsPath}/gadgets.${group}`,
      merge({ metadata: { finalizers: null } }),
    );
    expect((await client.call("GET", `/apis/${group}/v1/gadgets`)).code).toBe(404);
    expect((await client.call("GET", `/apis/${group}/v1`)).text).not.toContain("gadgets");
  });

  test("with its own columns", async () => {
    const at = await served(withSpec({ size: integer, tags: { type: "array", items: string } }), {
      subresources: { status: {} },
      additionalPrinterColumns: [
        { name: "Size", type: "integer", jsonPath: ".spec.size" },
        { name: "Tags", type: "string", jsonPath: ".spec.tags[*]", priority: 1 },
        {
          name: "Ready",
          type: "string",
          jsonPath: '.status.conditions[?(@.type=="Ready")].status',
        },
        { name: "Born", type: "date", jsonPath: ".metadata.creationTimestamp" },
      ],
    });
    await client.call("POST", at.path, {
      body: objectOf(at, "one", { spec: { size: 3, tags: ["a", "b"] } }),
    });
    const table = await client.call("GET", at.path, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(table.body).toMatchObject({
      columnDefinitions: [
        { name: "Name" },
        { name: "Size", type: "integer" },
        { name: "Tags", priority: 1 },
        { name: "Ready" },
        { name: "Born", type: "date" },
      ],
      rows: [{ cells: ["one", 3, "a b", null, expect.stringMatching(/^\d+s$/)] }],
    });
  });

  test("with its status and scale apart", async () => {
    const at = await served(
      {
        type: "object",
        properties: {
          spec: { type: "object", properties: { size: integer } },
          status: { type: "object", properties: { size: integer, selector: string } },
        },
      },
      {
        subresources: {
          status: {},
          scale: {
            specReplicasPath: ".spec.size",
            statusReplicasPath: ".status.size",
            labelSelectorPath: ".status.selector",
          },
        },
      },
    );
    const made = await client.call("POST", at.path, {
      body: objectOf(at, "one", { spec: { size: 2 }, status: { size: 9 } }),
    });
    expect(made.body["status"]).toBeUndefined();
    await client.call(
      "PATCH",
      `${at.path}/one/status`,
      merge({ status: { size: 1, selector: "app=x" }, spec: { size: 7 } }),
    );
    const scale = await client.call("GET", `${at.path}/one/scale`);
    expect(scale.body).toMatchObject({
      kind: "Scale",
      spec: { replicas: 2 },
      status: { replicas: 1, selector: "app=x" },
    });
    await client.call("PATCH", `${at.path}/one/scale`, merge({ spec: { replicas: 5 } }));
    expect((await client.call("GET", `${at.path}/one`)).body).toMatchObject({
      metadata: { generation: 2 },
      spec: { size: 5 },
      status: { size: 1 },
    });
    const wrong = await client.call(
      "PATCH",
      `${at.path}/one/status`,
      merge({ status: { size: "x" } }),
    );
    expect(causesOf(wrong)).toEqual([
      'status.size: Invalid value: "string": status.size in body must be of type integer: "string"',
    ]);
  });

  test("by selectable fields", async () => {
    const at = await served(withSpec({ color: string }), {
      selectableFields: [{ jsonPath: ".spec.color" }],
    });
    for (const color of ["red", "blue"])
      await client.call("POST", at.path, { body: objectOf(at, color, { spec: { color } }) });
    const found = await client.call("GET", `${at.path}?fieldSelector=spec.color%3Dred`);
    expect((found.body["items"] as unknown[]).length).toBe(1);
    expect((await client.call("GET", `${at.path}?fieldSelector=spec.other%3Dred`)).code).toBe(400);
  });

  test("in several versions of one object", async () => {
    const v1 = versionOf("v1", withSpec({ a: string, b: { type: "string", default: "one" } }));
    const v2 = {
      ...versionOf("v2", withSpec({ a: string, c: { type: "string", default: "two" } })),
      storage: false,
    };
    const old = { ...versionOf("v1alpha1"), storage: false, served: false };
    const beta = {
      ...versionOf("v2beta1"),
      storage: false,
      deprecated: true,
      deprecationWarning: "use v2",
    };
    await client.call("POST", definitionsPath, {
      body: definitionOf("Multi", [v1, v2, old, beta]),
    });
    const [first, second] = [kindAt("Multi"), kindAt("Multi", "v2")];
    const made = await client.call("POST", second.path, {
      body: objectOf(second, "one", { spec: { a: "x" } }),
    });
    expect(made.body).toMatchObject({ apiVersion: second.apiVersion, spec: { a: "x", c: "two" } });
    const read = await client.call("GET", `${first.path}/one`);
    expect(read.body).toMatchObject({ apiVersion: first.apiVersion, spec: { a: "x", b: "one" } });
    expect(read.body["spec"]).not.toHaveProperty("c");
    expect((await client.call("GET", `${kindAt("Multi", "v1alpha1").path}/one`)).code).toBe(404);
    const warned = await client.call("GET", `${kindAt("Multi", "v2beta1").path}/one`);
    expect(warned).toMatchObject({ code: 200, warnings: ['299 - "use v2"'] });
    const patched = await client.call("PATCH", `${second.path}/one`, merge({ spec: { a: "y" } }));
    expect(patched.body).toMatchObject({ apiVersion: second.apiVersion, spec: { a: "y" } });
    const listed = await client.call("GET", second.path);
    expect(listed.body).toMatchObject({
      kind: "MultiList",
      apiVersion: second.apiVersion,
      items: [{ apiVersion: second.apiVersion }],
    });
  });

  test("for the whole cluster", async () => {
    await client.call("POST", definitionsPath, {
      body: definitionOf("Global", [versionOf("v1")], { scope: "Cluster" }),
    });
    const path = `/apis/${group}/v1/globals`;
    const made = await client.call("POST", path, { body: { metadata: { name: "one" }, spec: {} } });
    expect(made).toMatchObject({ code: 201, body: { kind: "Global", metadata: { name: "one" } } });
    expect(
      (await client.call("GET", `/apis/${group}/v1/namespaces/default/globals/one`)).code,
    ).toBe(404);
    expect((await client.call("PUT", path, { body: {} })).code).toBe(405);
    expect((await client.call("DELETE", `${path}/one`, { body: {} })).code).toBe(200);
  });

  test("no more for creates once its definition goes", async () => {
    await client.call("POST", definitionsPath, { body: definitionOf("Ending") });
    const at = kindAt("Ending");
    await client.call("POST", at.path, { body: objectOf(at, "one", {}) });
    const going = await client.call("DELETE", `${definitionsPath}/endings.${group}`, { body: {} });
    expect(going.body).toMatchObject({
      metadata: { finalizers: ["customresourcecleanup.apiextensions.k8s.io"] },
      status: {
        conditions: expect.arrayContaining([
          expect.objectContaining({ type: "Terminating", status: "True" }),
        ]),
      },
    });
    const refused = await client.call("POST", at.path, { body: objectOf(at, "two", {}) });
    expect(refused).toMatchObject({
      code: 405,
      body: { message: "create not allowed while custom resource definition is terminating" },
    });
    expect((await client.call("GET", `${at.path}/one`)).code).toBe(200);
  });
});
