/** A controllers instance is killed and stays dead: another acts for its actors within 2 s. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import type { Store } from "../../libs/store/store.ts";
import { type TestCluster, testCluster } from "../cluster.ts";
import { fastest } from "../fastest.ts";
import { storeOf, testPorts } from "../recorded-pods.ts";
import { type Strike, takeover } from "../takeover.ts";

const instances = 3;
let cluster: TestCluster;
let store: Store;
let bus: Bus;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 0, controllers: instances });
  store = await storeOf(cluster);
  bus = await natsBus({ url: cluster.natsUrl, name: "test", ...testPorts });
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** It does not come back by itself: others must answer. */
const kill: Strike = (instance) => {
  // An instance's id is its process's name and a part that is new with each start.
  const process = [...cluster.processes].find(([name]) => instance.startsWith(`${name}-`))?.[1];
  if (process === undefined) return undefined;
  const dead = process.stop("SIGKILL");
  return async () => {
    await dead;
    expect(process.pid()).toBeUndefined();
    process.start();
  };
};

test("another controllers instance acts within 2 s of a kill -9 of the one that owned the actor", async () => {
  const what = "actors of a dead controllers instance were acted for after";
  const measure = (attempt: number) =>
    takeover({ cluster, store, bus, instances }, `takeover-${attempt}`, kill);
  expect(await fastest(what, 2_000, measure)).toBeLessThan(2_000);
});
