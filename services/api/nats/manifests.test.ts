/** The durable door on real NATS, with two gateways behind it. */
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateways, openGateways } from "../../../test/nats-gateways.ts";
import { applyManifests, openManifests } from "./manifests.ts";
import { openParked, type Parked } from "./parked.ts";

type Told = {
  readonly sequence: number;
  readonly ok: boolean;
  readonly results: readonly object[];
};

let gateways: Gateways;
let connection: NatsConnection;
let parked: Parked;
const stop = new AbortController();
const running: Promise<void>[] = [];
const told = new Map<number, Told>();

beforeAll(async () => {
  gateways = await openGateways();
  connection = await connect({ servers: gateways.nats.url });
  parked = await openParked(connection, 1);
  for (const { gateway } of gateways.sides) {
    await gateway.bus.subscribe("berth.results.>", ({ data }) => {
      const one = JSON.parse(Buffer.from(data).toString()) as Told;
      told.set(one.sequence, one);
    });
    const manifests = await openManifests(connection, 1);
    const { signal } = stop;
    running.push(applyManifests(gateway.gateway, manifests, { parked, signal }));
  }
});
afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await connection?.close();
  await gateways?.[Symbol.asyncDispose]();
});

async function publish(
  subject: string,
  text: string,
  given: Readonly<Record<string, string>> = {},
): Promise<number> {
  const sent = headers();
  for (const [name, value] of Object.entries(given)) sent.set(name, value);
  const client = jetstream(connection);
  const { seq } = await client.publish(`berth.manifests.${subject}`, text, { headers: sent });
  return seq;
}
async function outcome(sequence: number): Promise<Told> {
  await expect.poll(() => told.get(sequence), { timeout: 20_000 }).toBeDefined();
  return told.get(sequence) ?? expect.unreachable();
}
const applied = async (...asked: Parameters<typeof publish>) => outcome(await publish(...asked));

const map = (name: string, value: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default" },
    data: { value },
  });
const maps = "/api/v1/namespaces/default/configmaps";
const get = async (path: string) => (await gateways.sides[0].client.call("GET", path)).body;

test("who publishes manages what it states, and does not take what others manage", async () => {
  const [first] = (await applied("red.app.1", map("shared", "red"))).results;
  expect(first).toMatchObject({ ok: true, action: "created", object: { name: "shared" } });
  expect(await get(`${maps}/shared`)).toMatchObject({
    metadata: { managedFields: [{ manager: "red", operation: "Apply" }] },
  });
  const sequence = await publish("blue", map("shared", "blue"));
  const causes = [
    {
      reason: "FieldManagerConflict",
      field: ".data.value",
      message: expect.stringContaining('conflict with "red"'),
    },
  ];
  const status = { code: 409, reason: "Conflict", details: { name: "shared", causes } };
  expect(await outcome(sequence)).toMatchObject({ ok: false, results: [{ ok: false, status }] });
  await expect.poll(() => parked.list()).toMatchObject([{ sequence, document: 0, status }]);
  expect(await get(`${maps}/shared`)).toMatchObject({ data: { value: "red" } });
  expect(await applied("blue", map("shared", "blue"), { "Berth-Force": "true" })).toMatchObject({
    results: [{ action: "configured" }],
  });
  expect(await get(`${maps}/shared`)).toMatchObject({ data: { value: "blue" } });
});

test("what is tried is told of, and not done", async () => {
  const told = await applied("red", map("tried", "x"), { "Berth-Dry-Run": "true" });
  expect(told).toMatchObject({ ok: true, results: [{ ok: true, action: "created" }] });
  expect(await get(`${maps}/tried`)).toMatchObject({ code: 404 });
});

test.each([
  ["a header that is not understood", "red", { "Berth-Dry-Run": "All" }, 400],
  ["a header that names another publisher", "red", { "Berth-Field-Manager": "blue" }, 400],
  ["a publisher whose name is too long", "r".repeat(129), {}, 422],
])("%s refuses the whole message, which is parked", async (_name, subject, given, code) => {
  const sequence = await publish(subject, map("never", "x"), given);
  const refused = { ok: false, document: {}, status: { code } };
  expect(await outcome(sequence)).toMatchObject({ ok: false, results: [refused] });
  const all = await parked.list();
  expect(all.filter((one) => one.sequence === sequence)).toMatchObject([{ status: { code } }]);
  expect(await get(`${maps}/never`)).toMatchObject({ code: 404 });
});

test("of many wholes of one set the newest is left, though a gateway dies over them", async () => {
  const [{ life }] = gateways.sides;
  const names = (nth: number) => [nth, nth + 1, nth + 2].map((one) => `m${one % 7}`);
  const whole = (nth: number) => names(nth).map((name) => map(name, `${nth}`));
  const prune = { "Berth-Prune": "all" };
  let newest = 0;
  const count = 40;
  for (let nth = 1; nth <= count; nth += 1) {
    if (nth === 10) Object.assign(life, { commits: 7, dies: "after" });
    newest = await publish("green", whole(nth).join("\n---\n"), prune);
  }
  // It has died, unless the other one was quicker with all of them.
  const isOver = () => (life.commits ?? 0) <= 0 || told.has(newest);
  await expect.poll(isOver, { timeout: 20_000 }).toBe(true);
  life.commits = undefined;
  expect(await outcome(newest)).toMatchObject({ ok: true, prune: { outcome: "done" } });
  const manager = await jetstreamManager(connection);
  const left = async () => (await manager.streams.info("manifests")).state.messages;
  await expect.poll(left, { timeout: 20_000 }).toBe(0);
  const { items } = (await get(`${maps}?limit=500`)) as {
    items: { metadata: { name: string }; data: { value: string } }[];
  };
  const ours = items.filter(({ metadata }) => /^m\d$/.test(metadata.name));
  expect(ours.map(({ metadata, data }) => [metadata.name, data.value])).toEqual(
    names(count)
      .toSorted()
      .map((name) => [name, `${count}`]),
  );
});
