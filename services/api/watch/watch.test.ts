/** Watches as clients see them: in memory, and on a real nats-server through several gateways. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { natsStore } from "../../../libs/store/nats.ts";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { type NatsServers, startNats } from "../../../test/nats-server.ts";
import { type ClientEvent, openWatch } from "../../../test/watch-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { isAfterRevision, type WatchCase, watchCases } from "./watch-cases.ts";

const mergePatch = "application/merge-patch+json";

/** Who writes, and who serves the watch. */
type Places = { readonly writer: HttpsClient; readonly watched: () => Promise<MemoryGateway> };

/** Takes a step; gives the revision that it made. */
async function step(client: HttpsClient, home: string, text: string): Promise<string> {
  const [, elsewhere, verb = "", name = "", ...rest] =
    /^(other\/)?(\w+) (\S+)(.*)$/.exec(text)?.flatMap((part) => part ?? "") ?? [];
  const words = rest.join(" ").split(" ");
  const labels = entries(words, "=");
  const data = entries(words, ":");
  const namespace = elsewhere === "" ? home : `${home}-other`;
  const all = `/api/v1/namespaces/${namespace}/configmaps`;
  const one = `${all}/${name}`;
  const patched = (body: object) => client.call("PATCH", one, { body, contentType: mergePatch });
  const answer =
    verb === "make"
      ? await client.call("POST", all, { body: { metadata: { name, labels }, data } })
      : verb === "delete"
        ? await client.call("DELETE", one)
        : await patched({ metadata: { labels }, data });
  expect(answer.code).toBeLessThan(300);
  const { metadata } = answer.body as { metadata?: { resourceVersion?: string } };
  return metadata?.resourceVersion ?? "";
}

/** An empty value takes away. */
const entries = (words: readonly string[], sign: string) =>
  Object.fromEntries(
    words
      .filter((word) => word.includes(sign))
      .map((word) => word.split(sign))
      .map(([key = "", value = ""]) => [key, value === "" ? null : value]),
  );

function shown({ type, object }: ClientEvent, revisions: readonly string[]): string {
  const { metadata } = object;
  if (type === "BOOKMARK") {
    return `BOOKMARK ${metadata.annotations?.["k8s.io/initial-events-end"] === "true" ? "initial-events-end" : "plain"}`;
  }
  const on = metadata.labels?.["on"];
  const v = (object["data"] as { v?: string } | undefined)?.v;
  const nth = revisions.indexOf(metadata.resourceVersion);
  return [
    `${type} ${metadata.name}`,
    ...(on === undefined ? [] : [`on=${on}`]),
    ...(v === undefined ? [] : [`v:${v}`]),
    ...(nth < 0 ? [] : [`#${nth}`]),
  ].join(" ");
}

let names = 0;
async function expectTold(
  { given = [], query, during, events }: WatchCase,
  { writer, watched }: Places,
  when: "before" | "after",
): Promise<void> {
  const home = `w${(names += 1)}`;
  for (const name of [home, `${home}-other`]) {
    await writer.call("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  }
  for (const one of given) await step(writer, home, one);
  const begun = await writer.call("GET", `/api/v1/namespaces/${home}/configmaps`);
  const { resourceVersion } = begun.body["metadata"] as { resourceVersion: string };
  const from = query.includes("resourceVersion=") ? "" : `&resourceVersion=${resourceVersion}`;
  const path = `/api/v1/namespaces/${home}/configmaps?watch=true&${query}${from}`;
  const revisions: string[] = [];
  const act = async () => {
    for (const one of during) revisions.push(await step(writer, home, one));
  };
  if (when === "after") await act();
  await using watch = await openWatch(await watched(), path);
  expect(watch.code).toBe(200);
  const initial = events.filter((event) => !event.includes("#"));
  const first = when === "before" ? await watch.take(initial.length) : [];
  if (when === "before") await act();
  const later = await watch.take(events.length - first.length);
  const all = [...first, ...later];
  // A deletion's own revision is told by no reply: it is the one that no other step has.
  const known = new Set(revisions);
  const deleted = later.filter(
    ({ type, object }) => type === "DELETED" && !known.has(object.metadata.resourceVersion),
  );
  const steps = [...revisions];
  for (const { object } of deleted) {
    const nth = during.findIndex(
      (one, at) => steps[at] === "" && one === `delete ${object.metadata.name}`,
    );
    if (nth >= 0) steps[nth] = object.metadata.resourceVersion;
  }
  expect(all.map((event) => shown(event, steps))).toEqual(events);
  const order = later.map(({ object }) => Number(object.metadata.resourceVersion));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(new Set(order).size).toBe(order.length);
}

describe("a watch in memory is told", () => {
  let gateway: MemoryGateway;
  beforeAll(async () => {
    gateway = await openMemoryGateway();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test.for(watchCases)("$name", (one) =>
    expectTold(one, { writer: httpsClient(gateway), watched: async () => gateway }, "before"),
  );
});

describe("on a nats-server", () => {
  let nats: NatsServers;
  let opened: AsyncDisposableStack;
  let gateways: readonly MemoryGateway[];
  const open = async (): Promise<MemoryGateway> => {
    const ports = { clock: systemClock, random: systemRandom, log: createLog("api", "silent") };
    const { url } = nats;
    const state = opened.use(await natsStore({ url, bucket: "state", ...ports }));
    const events = opened.use(
      await natsStore({ url, bucket: "events", maxAgeSeconds: 3_600, ...ports }),
    );
    return opened.use(await openMemoryGateway({ state, events }));
  };
  beforeAll(async () => {
    nats = await startNats({ sync: "2m" });
    opened = new AsyncDisposableStack();
    gateways = [await open(), await open()];
  });
  afterAll(async () => {
    await opened?.disposeAsync();
    await nats?.[Symbol.asyncDispose]();
  });
  const places = (): Places => {
    const [first, second] = gateways;
    if (first === undefined || second === undefined) throw new Error("two gateways are open");
    return { writer: httpsClient(first), watched: async () => second };
  };

  describe("a watch through another gateway is told", () => {
    test.for(watchCases)("$name", (one) => expectTold(one, places(), "before"));
  });

  describe("who resumes on a gateway that was not there is told the same", () => {
    test("all cases", { timeout: 60_000 }, async () => {
      const cases = watchCases.filter(isAfterRevision);
      expect(cases.length).toBeGreaterThan(20);
      const { writer } = places();
      // One gateway for all would have seen the later ones: each case is resumed on a fresh one.
      for (const one of cases.slice(0, 8))
        await expectTold(one, { writer, watched: open }, "after");
      for (const one of cases.slice(8)) await expectTold(one, places(), "after");
    });
  });
});
