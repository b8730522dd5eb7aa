/** Refusals over NATS are those of a server-side apply. */
import { afterAll, describe, expect, test } from "vitest";
import { aDeployment, refusals, spec, web } from "../../../test/refusals.ts";

const { gateway } = refusals(afterAll);

describe("over NATS", () => {
  const asked = async (text: string | Uint8Array) => {
    const { store, bus } = await gateway();
    const before = await store.lastRevision();
    const data = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const reply = await bus.request("berth.api.apply", data, { timeoutMs: 20_000 });
    expect(await store.lastRevision()).toBe(before);
    return JSON.parse(new TextDecoder().decode(reply)) as object;
  };
  const document = (body: object) =>
    JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", ...body });

  test.each([
    [
      "a wrong type, new",
      document(aDeployment({ replicas: "three" })),
      400,
      ".spec.replicas: expected numeric (int or float), got string",
    ],
    [
      "a wrong type, there",
      document({ ...web, spec: { ...spec, replicas: "three" } }),
      400,
      ".spec.replicas: expected numeric (int or float), got string",
    ],
    [
      "an unknown field",
      document(aDeployment({ replica: 1 })),
      400,
      ".spec.replica: field not declared in schema",
    ],
    [
      "a broken rule",
      document(aDeployment({ replicas: -1 })),
      422,
      "spec.replicas: Invalid value: -1",
    ],
    ["no kind", "a: b", 400, "no matches for kind"],
    ["no name", document(spec), 400, "metadata.name is required"],
    ["a text", "hello", 400, "no object"],
    ["a cut document", '{"kind":', 400, "not valid YAML"],
    ["a deep document", "[".repeat(100_000), 400, "not valid YAML"],
    ["invalid UTF-8", Uint8Array.of(0x61, 0xff), 400, "UTF-8"],
    [
      "an object over 1.5 MiB",
      document({ ...web, x: "x".repeat(1_600_000) }),
      413,
      "limit is 1572864",
    ],
  ])("%s is the same Status", async (_name, text, code, said) => {
    const reply = await asked(text);
    expect(reply).toMatchObject({
      ok: false,
      results: [{ ok: false, status: { kind: "Status", code } }],
    });
    expect(JSON.stringify(reply)).toContain(said);
  });

  test("a request above all limits is refused as a whole", async () => {
    expect(await asked(new Uint8Array(6_500_000))).toMatchObject({
      ok: false,
      status: { code: 413 },
    });
  });

  test("300 documents full of mistakes are answered within a message", async () => {
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, nth) => [`-${nth}`, ""]));
    const one = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "bad", labels },
    });
    const reply = await asked(Array.from({ length: 300 }, () => one).join("\n---\n"));
    expect(JSON.stringify(reply).length).toBeLessThan(4_000_000);
    expect(reply).toMatchObject({ ok: false });
  });
});
