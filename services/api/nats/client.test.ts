/** One client over HTTPS and over NATS: the same gateway answers both, so all is the same. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientOver } from "../../../libs/client/client.ts";
import { overHttps } from "../../../libs/client/https.ts";
import { overNats } from "../../../libs/client/over-nats.ts";
import type { Transport } from "../../../libs/client/transport.ts";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

let gateway: MemoryGateway;
beforeAll(async () => {
  gateway = await openMemoryGateway();
  await using transport = overNats(gateway.bus);
  await clientOver(transport)
    .of(namespace)
    .create({ metadata: { name: "default" } });
});
afterAll(async () => gateway?.[Symbol.asyncDispose]());

const transports: Readonly<Record<string, () => Transport>> = {
  HTTPS: () => overHttps(gateway),
  NATS: () => overNats(gateway.bus),
};

describe.each(Object.entries(transports))("a client over %s", (way, open) => {
  let transport: Transport;
  let client: Client;
  const name = (of: string) => `${of}-${way.toLowerCase()}`;
  const configMaps = () => client.of(configMap).in("default");
  beforeAll(() => {
    transport = open();
    client = clientOver(transport);
  });
  afterAll(async () => transport?.[Symbol.asyncDispose]());

  test("creates, gets, lists, changes and deletes", async () => {
    const made = await configMaps().create({ metadata: { name: name("a") }, data: { a: "1" } });
    expect(made.metadata.uid).toBeDefined();
    expect(await configMaps().get(name("a"))).toEqual(made);
    const { items, resourceVersion } = await configMaps().list();
    expect(items.map(({ metadata }) => metadata.name)).toContain(name("a"));
    expect(Number(resourceVersion)).toBeGreaterThan(0);
    const changed = await configMaps().update({ ...made, data: { a: "2" } });
    expect(changed.data).toEqual({ a: "2" });
    const patched = await configMaps().patch(name("a"), { data: { b: "3" } }, { type: "merge" });
    expect(patched.data).toEqual({ a: "2", b: "3" });
    await configMaps().delete(name("a"));
    await expect(configMaps().get(name("a"))).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("is refused in Kubernetes' words", async () => {
    const bad = configMaps().create({ metadata: { name: "Not_A_Name" } });
    await expect(bad).rejects.toMatchObject({
      reason: "Invalid",
      details: { causes: [{ field: "metadata.name" }] },
    });
    const stale = { metadata: { name: name("stale"), resourceVersion: "1" } };
    await configMaps().create({ metadata: { name: name("stale") } });
    await expect(configMaps().update(stale)).rejects.toMatchObject({ reason: "Conflict" });
  });

  test("applies, and is told who manages what", async () => {
    const given = (replicas: number) => ({
      metadata: { name: name("web") },
      spec: {
        replicas,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "web", image: "web" }] },
        },
      },
    });
    const deployments = client.of(deployment).in("default");
    await deployments.apply(given(1), { fieldManager: "first" });
    const second = deployments.apply(given(2), { fieldManager: "second" });
    await expect(second).rejects.toMatchObject({ reason: "Conflict" });
    const forced = await deployments.apply(given(2), { fieldManager: "second", force: true });
    expect(forced.spec.replicas).toBe(2);
  });

  test("does all but the write in a dry run", async () => {
    await configMaps().create({ metadata: { name: name("dry") } }, { dryRun: true });
    await expect(configMaps().get(name("dry"))).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("reads a list of any size page by page", async () => {
    const many = Array.from({ length: 30 }, (_, nth) => name(`page-${nth}`));
    const data = { text: "x".repeat(100_000) };
    await Promise.all(
      many.map((one) =>
        configMaps().create({ metadata: { name: one, labels: { many: way } }, data }),
      ),
    );
    const options = { labelSelector: `many=${way}` };
    const whole = await configMaps().list(options);
    expect(whole.items).toHaveLength(30);
    const paged = await Array.fromAsync(configMaps().all({ ...options, limit: 7 }));
    expect(paged).toEqual(whole.items);
    await configMaps().deleteCollection(options);
    expect((await configMaps().list(options)).items).toEqual([]);
  });

  test("watches, and stops when it is told to", async () => {
    const { resourceVersion } = await configMaps().list();
    const stop = new AbortController();
    const seen: string[] = [];
    const labelSelector = `watched=${way}`;
    const options = { resourceVersion, labelSelector, signal: stop.signal };
    const watching = (async () => {
      for await (const { type, object } of configMaps().watch(options)) {
        seen.push(`${type} ${object.metadata.name}`);
        if (seen.length === 3) stop.abort();
      }
    })();
    const one = { metadata: { name: name("seen"), labels: { watched: way } } };
    await configMaps().create(one);
    await configMaps().patch(name("seen"), { data: { a: "1" } }, { type: "merge" });
    await configMaps().delete(name("seen"));
    await expect(watching).rejects.toThrow(/broke off|abort/i);
    expect(seen).toEqual(["ADDED", "MODIFIED", "DELETED"].map((type) => `${type} ${name("seen")}`));
  });
});

describe("plain requests over NATS", () => {
  const ask = async (verb: string, body: unknown): Promise<Record<string, unknown>> => {
    const data = new TextEncoder().encode(JSON.stringify(body));
    const reply = await gateway.bus.request(`berth.api.${verb}`, data);
    return JSON.parse(new TextDecoder().decode(reply));
  };
  const object = {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name: "plain" },
    data: { a: "1" },
  };
  const where = { kind: "cm", name: "plain" };

  test("know every verb", async () => {
    expect(await ask("create", { object })).toMatchObject({
      ok: true,
      object: { data: { a: "1" } },
    });
    expect(await ask("create", { object })).toMatchObject({
      ok: false,
      status: { reason: "AlreadyExists" },
    });
    expect(await ask("update", { object: { ...object, data: { a: "2" } } })).toMatchObject({
      ok: true,
    });
    expect(await ask("patch", { ...where, patch: { data: { b: "3" } } })).toMatchObject({
      object: { data: { a: "2", b: "3" } },
    });
    const applied = {
      ...where,
      type: "apply",
      fieldManager: "me",
      patch: { ...object, data: { c: "4" } },
    };
    expect(await ask("patch", applied)).toMatchObject({ object: { data: { a: "2", c: "4" } } });
    expect(await ask("get", where)).toMatchObject({ ok: true });
    expect(
      await ask("list", { kind: "ConfigMap", fieldSelector: "metadata.name=plain" }),
    ).toMatchObject({
      ok: true,
      items: [{ metadata: { name: "plain" } }],
    });
    expect(await ask("delete", where)).toMatchObject({ ok: true, gone: true });
    expect(await ask("create", { object })).toMatchObject({ ok: true });
    const some = { kind: "cm", fieldSelector: "metadata.name=plain" };
    expect(await ask("deletecollection", some)).toMatchObject({ ok: true });
    expect(await ask("get", where)).toMatchObject({ ok: false, status: { reason: "NotFound" } });
    expect(await ask("get", { kind: "gadget", name: "a" })).toMatchObject({
      ok: false,
      status: { reason: "NotFound" },
    });
    expect(await ask("patch", { kind: "cm" })).toMatchObject({
      ok: false,
      status: { reason: "BadRequest" },
    });
  });

  test("watch: the events are messages, numbered, until nobody listens", async () => {
    const events: {
      number: number;
      event: { type: string; object?: { metadata: { name: string } } };
    }[] = [];
    const heard = Promise.withResolvers<void>();
    const subscribed = await gateway.bus.subscribe("mine.events", ({ data }) => {
      const event = JSON.parse(new TextDecoder().decode(data)) as (typeof events)[number];
      if (event.number > 0) events.push(event);
      if (event.event.type === "DELETED") heard.resolve();
    });
    const { resourceVersion } = (await ask("list", { kind: "cm" })) as { resourceVersion: string };
    const watch = { kind: "cm", namespace: "default", resourceVersion, deliver: "mine.events" };
    expect(await ask("watch", watch)).toMatchObject({ ok: true });
    await ask("create", { object });
    await ask("delete", where);
    await heard.promise;
    await subscribed[Symbol.asyncDispose]();
    expect(events.map(({ number, event }) => [number, event.type])).toEqual([
      [1, "ADDED"],
      [2, "DELETED"],
    ]);
    expect(await ask("watch", { ...watch, deliver: "berth.ctl.n1.report" })).toMatchObject({
      ok: false,
      status: { reason: "BadRequest" },
    });
    expect(await ask("watch", { ...watch, resourceVersion: "no number" })).toMatchObject({
      ok: false,
    });
  });
});
