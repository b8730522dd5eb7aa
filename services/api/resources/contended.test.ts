/** Many clients whose writes share a key: a quota's use, a node's load. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryStore } from "../../../libs/store/memory.ts";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { mergePatch } from "../../../test/refusals.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const clients = 100;
/** A commit takes its time, as a real one does: the other clients decide meanwhile. */
const commitMs = 2;

const memory = memoryStore();
const store: typeof memory = {
  ...memory,
  commit: async (...transaction) => {
    await sleep(commitMs);
    return memory.commit(...transaction);
  },
};
let gateway: MemoryGateway;
let client: HttpsClient;
beforeAll(async () => {
  gateway = await openMemoryGateway({ state: store });
  client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await memory[Symbol.asyncDispose]();
});

const codesOf = async (create: (nth: number) => object, path: string) => {
  const answers = await Promise.all(
    Array.from({ length: clients }, (_, nth) => client.call("POST", path, { body: create(nth) })),
  );
  return new Set(answers.map(({ code }) => code));
};

test("of many creations that one quota counts all land, and no more than it allows", async () => {
  const all = "/api/v1/namespaces/default";
  const hard = { "count/configmaps": String(clients) };
  await client.call("POST", `${all}/resourcequotas`, {
    body: { metadata: { name: "q" }, spec: { hard } },
  });
  // As its controller does.
  const status = { hard, used: { "count/configmaps": "0" } };
  await client.call("PATCH", `${all}/resourcequotas/q/status`, mergePatch({ status }));
  const created = await codesOf((nth) => ({ metadata: { name: `c${nth}` } }), `${all}/configmaps`);
  expect(created).toEqual(new Set([201]));
  const body = { metadata: { name: "more" } };
  expect(await client.call("POST", `${all}/configmaps`, { body })).toMatchObject({ code: 403 });
});

test("of many pods that are made for one node all land", async () => {
  const allocatable = { cpu: "10", memory: "8Gi", pods: "110" };
  await client.call("POST", "/api/v1/nodes", {
    body: { metadata: { name: "n1" }, status: { allocatable } },
  });
  const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }] };
  const created = await codesOf(
    (nth) => ({ metadata: { name: `p${nth}` }, spec }),
    "/api/v1/namespaces/default/pods",
  );
  expect(created).toEqual(new Set([201]));
});
