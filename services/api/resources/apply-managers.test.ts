/** What an apply tells, and who updates. */
import { describe, expect, test } from "vitest";
import {
  apply,
  at,
  configMaps,
  deployments,
  json,
  lastApplied,
  merge,
  owners,
  post,
  run,
  web,
  withGateway,
} from "./apply-fixture.ts";

const client = withGateway();

describe("an apply", () => {
  test("tells each conflict as a cause", async () => {
    await run(configMaps, "causes", apply("a", { data: { k: "1", l: "1" } }));
    const { body } = await run(configMaps, "causes", apply("b", { data: { k: "2", l: "2" } }));
    const message = 'conflict with "a"';
    expect(body).toMatchObject({
      reason: "Conflict",
      message: 'Apply failed with 2 conflicts: conflicts with "a":\n- .data.k\n- .data.l',
      details: {
        name: "causes",
        kind: "configmaps",
        causes: [
          { reason: "FieldManagerConflict", message, field: ".data.k" },
          { reason: "FieldManagerConflict", message, field: ".data.l" },
        ],
      },
    });
  });

  test("of what is so writes nothing, not even a time", async () => {
    const first = await run(deployments, "same", apply("a", web));
    const again = await run(deployments, "same", apply("a", web));
    expect(again.body["metadata"]).toEqual(first.body["metadata"]);
    const patched = await run(deployments, "same", merge("u", { spec: { replicas: 1 } }));
    expect(patched.body["metadata"]).toEqual(first.body["metadata"]);
  });

  test("is made in YAML too, but not in CBOR", async () => {
    const bytes = "apiVersion: v1\nkind: ConfigMap\ndata:\n  k: v\n";
    const path = `${configMaps.path}/yaml?fieldManager=a`;
    const contentType = "application/apply-patch+yaml";
    expect((await client.call("PATCH", path, { bytes, contentType })).code).toBe(201);
    const cbor = await client.call("PATCH", path, {
      bytes,
      contentType: "application/apply-patch+cbor",
    });
    expect(cbor).toMatchObject({
      code: 415,
      body: { message: expect.stringContaining("application/apply-patch+yaml") },
    });
  });

  test("makes nothing in a namespace that there is not", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };
    const contentType = "application/apply-patch+yaml";
    const path = "/api/v1/namespaces/nowhere/configmaps/x?fieldManager=a";
    expect((await client.call("PATCH", path, { body, contentType })).code).toBe(404);
  });

  test("keeps the annotation of client-side apply true", async () => {
    const text = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", data: { k: "1" } });
    const annotations = { [lastApplied()]: text };
    await run(
      configMaps,
      "csa",
      post("kubectl-client-side-apply", { data: { k: "1" }, metadata: { annotations } }),
    );
    const { body } = await run(configMaps, "csa", apply("kubectl", { data: { k: "2" } }));
    const kept = at(body, `metadata.annotations`) as Record<string, string>;
    expect(JSON.parse(kept[lastApplied()] ?? "")).toMatchObject({ data: { k: "2" } });
  });
});

describe("managers that update", () => {
  test("are called after their program, up to the slash", async () => {
    const { body } = await client.call("POST", configMaps.path, {
      body: { metadata: { name: "agent" }, data: { k: "1" } },
    });
    expect(owners(body)).toEqual({ "unknown!": [".data", ".data.k"] });
  });

  test("beyond ten become ancient changes", async () => {
    await run(configMaps, "many", post("m0", { data: { k0: "1" } }));
    for (let nth = 1; nth <= 11; nth += 1) {
      await run(configMaps, "many", merge(`m${nth}`, { data: { [`k${nth}`]: "1" } }));
    }
    const { body } = await client.call("GET", `${configMaps.path}/many`);
    const all = owners(body);
    expect(Object.keys(all)).toHaveLength(10);
    const keys = Object.values(all)
      .flat()
      .filter((path) => path.startsWith(".data.k"));
    expect(new Set(keys).size).toBe(12);
    expect(all["ancient-changes!"]?.length).toBeGreaterThan(1);
  });

  test("are not told apart by what they leave as it is", async () => {
    await run(configMaps, "touch", apply("a", { data: { k: "1" } }));
    const { body } = await run(
      configMaps,
      "touch",
      json("u", [{ op: "replace", path: "/data/k", value: "1" }]),
    );
    expect(owners(body)).toEqual({ a: [".data.k"] });
  });
});
