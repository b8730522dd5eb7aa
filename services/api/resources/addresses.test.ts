/** The addresses of Services, shown as what claims them, and the range that they are of. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { jsonPatch, mergePatch } from "../../../test/refusals.ts";
import { openWatch } from "../../../test/watch-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const addresses = "/apis/networking.k8s.io/v1/ipaddresses";
const ranges = "/apis/networking.k8s.io/v1/servicecidrs";
const services = "/api/v1/namespaces/default/services";

let gateway: MemoryGateway;
let client: HttpsClient;
beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const make = (name: string, spec: object) =>
  client.call("POST", services, { body: { metadata: { name }, spec } });
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io";

describe("an IPAddress", () => {
  test("is there as long as its Service, at the Service's revisions", async () => {
    await using watch = await openWatch(gateway, `${addresses}?watch=1`);
    const made = await make("web", { clusterIP: "10.96.0.99", ports: [{ port: 80 }] });
    const { uid, creationTimestamp } = made.body["metadata"] as Record<string, string>;
    const read = await client.call("GET", `${addresses}/10.96.0.99`);
    expect(read.body).toMatchObject({
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: {
        name: "10.96.0.99",
        creationTimestamp,
        labels: {
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
      },
      spec: { parentRef: { resource: "services", namespace: "default", name: "web" } },
    });
    expect((read.body["metadata"] as Record<string, string>)["uid"]).not.toBe(uid);
    const listed = await client.call("GET", addresses, { accept: asTable });
    expect(listed.body["rows"]).toMatchObject([
      { cells: ["10.96.0.99", "services/default/web", expect.any(String)] },
    ]);
    expect(await watch.next()).toMatchObject({
      type: "ADDED",
      object: { kind: "IPAddress", metadata: { name: "10.96.0.99" } },
    });
    // What else of the Service changes is no change of its address.
    const label = mergePatch({ metadata: { labels: { a: "b" } } });
    expect((await client.call("PATCH", `${services}/web`, label)).code).toBe(200);
    await client.call("DELETE", `${services}/web`);
    expect(await watch.next()).toMatchObject({
      type: "DELETED",
      object: { metadata: { name: "10.96.0.99" }, spec: { parentRef: { name: "web" } } },
    });
    expect((await client.call("GET", `${addresses}/10.96.0.99`)).code).toBe(404);
  });

  test("is what nobody else can have", async () => {
    await make("first", { clusterIP: "10.96.0.98", ports: [{ port: 80 }] });
    const second = await make("second", { clusterIP: "10.96.0.98", ports: [{ port: 80 }] });
    expect(second).toMatchObject({ code: 422 });
    expect(second.text).toContain("provided IP is already allocated");
  });

  test("of a headless Service there is not", async () => {
    await make("headless", { clusterIP: "None", ports: [{ port: 80 }] });
    const { body } = await client.call("GET", addresses);
    expect(JSON.stringify(body["items"])).not.toContain("headless");
  });

  test.each([
    ["POST", "", { body: { metadata: { name: "10.96.0.5" }, spec: parent("x") } }],
    ["PATCH", "/10.96.0.98", mergePatch({ metadata: { labels: { a: "b" } } })],
    [
      "PATCH",
      "/10.96.0.98",
      jsonPatch({ op: "replace", path: "/spec/parentRef/name", value: "x" }),
    ],
    ["DELETE", "/10.96.0.98", {}],
    ["DELETE", "", {}],
  ] as const)("is no user's to write: %s %s", async (method, name, sent) => {
    const refused = await client.call(method, `${addresses}${name}`, sent);
    expect(refused).toMatchObject({ code: 403, body: { reason: "Forbidden" } });
    expect(refused.body["message"]).toContain(
      "is forbidden: it is there as long as a Service has the address, and changes with that Service alone",
    );
    expect((await client.call("GET", `${addresses}/10.96.0.98`)).code).toBe(200);
  });

  test("has an address for a name", async () => {
    const body = { metadata: { name: "web" }, spec: parent("x") };
    const refused = await client.call("POST", addresses, { body });
    expect(refused).toMatchObject({ code: 422 });
    expect(refused.text).toContain("must be a valid IP address");
  });
});

function parent(name: string) {
  return { parentRef: { resource: "services", namespace: "default", name } };
}

describe("a ServiceCIDR", () => {
  const range = (name: string, ...cidrs: string[]) => ({
    body: { metadata: { name }, spec: { cidrs } },
  });

  test("is the cluster's, ready", async () => {
    const made = await client.call("POST", ranges, range("kubernetes", "10.96.0.0/16"));
    expect(made).toMatchObject({
      code: 201,
      body: { status: { conditions: [{ type: "Ready", status: "True" }] } },
    });
    const listed = await client.call("GET", ranges, { accept: asTable });
    expect(listed.body["rows"]).toMatchObject([
      { cells: ["kubernetes", "10.96.0.0/16", expect.any(String)] },
    ]);
  });

  test.each([
    ["POST", "", range("more", "10.97.0.0/16"), 403, "a setting of the cluster, and the only one"],
    ["POST", "", range("kubernetes2", "10.96.0.0/16"), 403, "the only one"],
    ["POST", "", range("wrong", "10.97.0.0"), 422, "must be a valid CIDR value"],
    ["POST", "", range("none"), 422, "spec.cidrs: Required value"],
    [
      "PATCH",
      "/kubernetes",
      mergePatch({ spec: { cidrs: ["10.97.0.0/16"] } }),
      422,
      "field is immutable",
    ],
    ["DELETE", "/kubernetes", {}, 403, "a setting of the cluster"],
  ] as const)("is the only one, and stays: %s %s", async (method, name, sent, code, message) => {
    const refused = await client.call(method, `${ranges}${name}`, sent);
    expect(refused).toMatchObject({ code });
    expect(refused.text).toContain(message);
  });

  test("may carry labels", async () => {
    const label = mergePatch({ metadata: { labels: { a: "b" } } });
    expect((await client.call("PATCH", `${ranges}/kubernetes`, label)).code).toBe(200);
  });
});
