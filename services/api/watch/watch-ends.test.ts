/** How a watch begins and ends, in which form, and what it survives. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryBucket } from "../../../libs/store/memory-bucket.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { natsStore } from "../../../libs/store/nats.ts";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type Answer, type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { startNats } from "../../../test/nats-server.ts";
import { openWatch } from "../../../test/watch-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const shop = "/api/v1/namespaces/shop/configmaps";
const mergePatch = "application/merge-patch+json";
const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";

let gateway: MemoryGateway;
let client: HttpsClient;
beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
  for (const name of ["default", "shop"]) await make(client, "/api/v1/namespaces", name);
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function make(by: HttpsClient, path: string, name: string, more: object = {}) {
  const answer = await by.call("POST", path, { body: { metadata: { name }, ...more } });
  expect(answer.code).toBe(201);
  return revisionIn(answer);
}
async function set(by: HttpsClient, path: string, value: string) {
  const body = { data: { value } };
  return revisionIn(await by.call("PATCH", path, { body, contentType: mergePatch }));
}
const revisionIn = ({ body }: Answer) =>
  (body["metadata"] as { resourceVersion: string }).resourceVersion;

describe("a watch is refused", () => {
  const match = "resourceVersionMatch: Forbidden: ";
  test.for([
    [
      "initial events without a match",
      "sendInitialEvents=true",
      422,
      `${match}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      "initial events of an exact revision",
      "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
      422,
      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    ["none of them, without a match", "sendInitialEvents=false", 422, "sendInitialEvents requires"],
    [
      "a match without initial events",
      "resourceVersionMatch=NotOlderThan&resourceVersion=1",
      422,
      `${match}resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    ],
    [
      "an exact match",
      "resourceVersionMatch=Exact&resourceVersion=1",
      422,
      'Unsupported value: "Exact": supported values: "NotOlderThan"',
    ],
    [
      "a match that there is not",
      `sendInitialEvents=true&resourceVersionMatch=Newest`,
      422,
      'Unsupported value: "Newest"',
    ],
    [
      "initial events of a page",
      `${initial}&continue=x`,
      422,
      `${match}resourceVersionMatch is forbidden when continue is provided`,
    ],
    [
      "a revision that is none",
      "resourceVersion=abc",
      400,
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    ["a negative revision", "resourceVersion=-1", 400, "invalid syntax"],
    [
      "a revision beyond 64 bits",
      "resourceVersion=99999999999999999999999",
      400,
      "value out of range",
    ],
    [
      "a time that is none",
      "timeoutSeconds=soon",
      400,
      'strconv.ParseInt: parsing "soon": invalid syntax',
    ],
    [
      "a selector that is none",
      "labelSelector=a+b",
      400,
      "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    ],
    [
      "a field that cannot be selected",
      "fieldSelector=data.a%3D1",
      400,
      '"data.a" is not a known field selector',
    ],
  ] as const)("%s", async ([, query, code, message]) => {
    const refused = await client.call("GET", `${configMaps}?watch=1&${query}`);
    expect(refused).toMatchObject({ code, body: { kind: "Status", status: "Failure", code } });
    expect(refused.body["message"]).toContain(message);
    if (code !== 422) return;
    expect(refused.body["message"]).toContain('ListOptions.meta.k8s.io "" is invalid: ');
    const details = { group: "meta.k8s.io", kind: "ListOptions" };
    expect(refused.body["details"]).toMatchObject(details);
  });

  test("from the future waits, then says Timeout: watch, initial events, list, read", async () => {
    await make(client, configMaps, "future");
    const future = (await gateway.store.lastRevision()) + 1_000;
    const paths = ["?watch=1", `?watch=1&${initial}`, "?", "/future?"];
    const answers = await Promise.all(
      paths.map((path) => client.call("GET", `${configMaps}${path}&resourceVersion=${future}`)),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({
        code: 504,
        body: {
          reason: "Timeout",
          message: expect.stringContaining(
            `Timeout: Too large resource version: ${future}, current: `,
          ),
          details: {
            retryAfterSeconds: 1,
            causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
          },
        },
      });
    }
  });

  test("a revision that no record holds: 410 in the stream", async () => {
    const state = memoryStore({ bucket: memoryBucket({ clock, recorded: 10 }) });
    await using first = await openMemoryGateway({ state });
    const by = httpsClient(first);
    await make(by, "/api/v1/namespaces", "default");
    for (let nth = 0; nth < 30; nth += 1) await make(by, configMaps, `c${nth}`);
    await using second = await openMemoryGateway({ state });
    await using watch = await openWatch(second, `${configMaps}?watch=1&resourceVersion=4`);
    const event = await watch.next();
    expect(event).toMatchObject({
      type: "ERROR",
      object: { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410 },
    });
    const [, asked, oldest] =
      /^too old resource version: (\d+) \((\d+)\)$/.exec(String(event?.object["message"])) ?? [];
    expect(asked).toBe("4");
    expect(Number(oldest)).toBeGreaterThan(4);
    expect(await watch.next()).toBeUndefined();
    // What it names can be watched from.
    await using later = await openWatch(second, `${configMaps}?watch=1&resourceVersion=${oldest}`);
    expect(await later.next()).toMatchObject({ type: "ADDED" });
  });
});

describe("a watch is served", () => {
  test("of all namespaces, and of one", async () => {
    await using all = await openWatch(gateway, "/api/v1/configmaps?watch=1");
    const revision = await make(client, shop, "all");
    for (;;) {
      const event = await all.next();
      if (event?.object.metadata.resourceVersion !== revision) continue;
      expect(event).toMatchObject({ type: "ADDED", object: { metadata: { namespace: "shop" } } });
      break;
    }
  });

  test.for([
    ["of a namespace", "/api/v1/watch/namespaces/shop/configmaps", ["old", "other", "old"]],
    ["of one object", "/api/v1/watch/namespaces/shop/configmaps/old", ["old"]],
    ["of a group", "/apis/apps/v1/watch/namespaces/shop/deployments", []],
    ["of what has no namespace", "/api/v1/watch/namespaces/shop", ["shop"]],
  ] as const)("on the deprecated path %s", async ([, path]) => {
    const from = await gateway.store.lastRevision();
    await using watch = await openWatch(gateway, `${path}?resourceVersion=${from}`);
    expect(watch.code).toBe(200);
    const name = path.endsWith("/old") ? "old" : "d";
    const wanted = path.includes("deployments")
      ? await make(client, "/apis/apps/v1/namespaces/shop/deployments", name, {
          spec: {
            selector: { matchLabels: { a: "b" } },
            template: {
              metadata: { labels: { a: "b" } },
              spec: { containers: [{ name: "a", image: "b" }] },
            },
          },
        })
      : path.endsWith("namespaces/shop")
        ? revisionIn(
            await client.call("PATCH", "/api/v1/namespaces/shop", {
              body: { metadata: { labels: { seen: "yes" } } },
              contentType: mergePatch,
            }),
          )
        : await make(client, shop, name);
    expect((await watch.next())?.object.metadata.resourceVersion).toBe(wanted);
  });

  test("of what has no namespace", async () => {
    await using watch = await openWatch(
      gateway,
      "/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dshop",
    );
    expect(await watch.next()).toMatchObject({
      type: "ADDED",
      object: { kind: "Namespace", apiVersion: "v1", metadata: { name: "shop" } },
    });
  });

  test("as Tables: the columns once, a row an event, bookmarks without cells", async () => {
    await make(client, configMaps, "t1");
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const query = `watch=1&${initial}&allowWatchBookmarks=1&fieldSelector=metadata.name%3Dt1`;
    await using watch = await openWatch(gateway, `${configMaps}?${query}`, { accept });
    const [added, end] = await watch.take(2);
    expect(added).toMatchObject({
      type: "ADDED",
      object: { kind: "Table", rows: [{ cells: ["t1", expect.anything(), expect.any(String)] }] },
    });
    expect(added?.object["columnDefinitions"]).not.toBeNull();
    expect(end).toMatchObject({
      type: "BOOKMARK",
      object: {
        kind: "Table",
        columnDefinitions: null,
        rows: [{ object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } }],
      },
    });
    const revision = await set(client, `${configMaps}/t1`, "1");
    expect(await watch.next()).toMatchObject({
      type: "MODIFIED",
      object: { metadata: { resourceVersion: revision }, columnDefinitions: null },
    });
  });

  test("as metadata only", async () => {
    await make(client, configMaps, "m1", { data: { a: "b" } });
    const accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    const query = "watch=1&fieldSelector=metadata.name%3Dm1";
    await using watch = await openWatch(gateway, `${configMaps}?${query}`, { accept });
    const event = await watch.next();
    expect(event?.object).toMatchObject({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: { name: "m1" },
    });
    expect(event?.object).not.toHaveProperty("data");
  });

  test("in a version that is not the stored one", async () => {
    const scaler = {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" },
        targetCPUUtilizationPercentage: 50,
      },
    };
    const version1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    await using watch = await openWatch(gateway, `${version1}?watch=1`);
    await make(client, version1, "hpa", scaler);
    expect(await watch.next()).toMatchObject({
      type: "ADDED",
      object: { apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 50 } },
    });
    expect((await client.call("DELETE", `${version1}/hpa`)).code).toBe(200);
    const [deleted] = await watch.take(1);
    expect(deleted).toMatchObject({
      type: "DELETED",
      object: { apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 50 } },
    });
  });

  test("of Events, in their own revisions", async () => {
    const events = "/api/v1/namespaces/default/events";
    const involvedObject = { kind: "Pod", name: "p", namespace: "default" };
    const query = "watch=1&fieldSelector=involvedObject.name%3Dp,reason!%3DOther";
    await using watch = await openWatch(gateway, `${events}?${query}`);
    await make(client, events, "e0", { involvedObject, reason: "Other", message: "" });
    const first = await make(client, events, "e1", { involvedObject, reason: "Seen", message: "" });
    const seen = await watch.next();
    expect(seen).toMatchObject({ type: "ADDED", object: { metadata: { name: "e1" } } });
    expect(seen?.object.metadata.resourceVersion).toBe(first);
    expect(Number(first)).toBeLessThan(await gateway.store.lastRevision());
    await client.call("DELETE", `${events}/e1`);
    expect(await watch.next()).toMatchObject({
      type: "DELETED",
      object: { metadata: { name: "e1", resourceVersion: String(Number(first) + 1) } },
    });
    await using resumed = await openWatch(gateway, `${events}?${query}&resourceVersion=${first}`);
    expect(await resumed.next()).toMatchObject({ type: "DELETED" });
  });

  test("until its time is over, with a bookmark of what it saw", async () => {
    const from = await gateway.store.lastRevision();
    const path = `${configMaps}?watch=1&allowWatchBookmarks=1&timeoutSeconds=1&resourceVersion=${from}`;
    const began = performance.now();
    await using watch = await openWatch(gateway, path);
    const elsewhere = await make(client, shop, "elsewhere");
    const [bookmark, ...rest] = await watch.take(5);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(rest).toEqual([]);
    expect(bookmark).toEqual({
      type: "BOOKMARK",
      object: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { resourceVersion: elsewhere, creationTimestamp: null },
      },
    });
    // Without bookmarks it ends in silence.
    await using plain = await openWatch(
      gateway,
      `${shop}?watch=1&timeoutSeconds=1&resourceVersion=${from}&fieldSelector=metadata.name%3Dnone`,
    );
    expect(await plain.next()).toBeUndefined();
  });
});

describe("a watch survives", () => {
  test(
    "a nats-server that is killed: it goes on, and nobody missed what was written",
    { timeout: 60_000 },
    async () => {
      await using nats = await startNats();
      const ports = { clock, random: systemRandom, log: createLog("api", "silent") };
      const { url } = nats;
      await using state = await natsStore({ url, bucket: "state", ...ports });
      await using events = await natsStore({
        url,
        bucket: "events",
        maxAgeSeconds: 3_600,
        ...ports,
      });
      await using served = await openMemoryGateway({ state, events });
      const by = httpsClient(served);
      await make(by, "/api/v1/namespaces", "default");
      await make(by, configMaps, "kept");
      await using watch = await openWatch(served, `${configMaps}?watch=1`);
      expect(await watch.next()).toMatchObject({ type: "ADDED" });
      await nats.kill(0);
      const written = Promise.all(
        Array.from({ length: 20 }, (_, nth) => set(by, `${configMaps}/kept`, `${nth}`)),
      );
      await nats.restart(0);
      const revisions = (await written).toSorted((a, b) => Number(a) - Number(b));
      const seen = await watch.take(revisions.length);
      expect(seen.map(({ type }) => type)).toEqual(revisions.map(() => "MODIFIED"));
      expect(seen.map(({ object }) => object.metadata.resourceVersion)).toEqual(revisions);
    },
  );
});
