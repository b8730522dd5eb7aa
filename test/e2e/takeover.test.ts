/** A controllers instance is killed and stays dead: another acts for its actors within 2 s. */
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { addressOf } from "../../libs/actor/behaviour.ts";
import { addressHash, ownerOf } from "../../libs/actor/placement.ts";
import type { Bus } from "../../libs/bus/bus.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import { prefixOf } from "../../libs/cluster/key.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import { apiSubject } from "../../libs/protocol/subjects.ts";
import { natsMemberships } from "../../libs/store/nats-memberships.ts";
import type { Store } from "../../libs/store/store.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { fastest } from "../fastest.ts";
import { recordedRevisions, storeOf, testPorts } from "../recorded-pods.ts";

let cluster: TestCluster;
let store: Store;
let bus: Bus;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 0, controllers: 3 });
  store = await storeOf(cluster);
  bus = await natsBus({ url: cluster.natsUrl, name: "test", ...testPorts });
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const names = Array.from({ length: 12 }, (_, nth) => `web-${nth}`);
/** No node takes its pods: what is measured is the controllers alone. */
const manifest = (namespace: string, name: string, replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: web, image: "berth/hello:v1" }]
`;

async function apply(namespace: string, replicas: number): Promise<void> {
  const documents = names.map((name) => manifest(namespace, name, replicas));
  const data = new TextEncoder().encode(documents.join("---\n"));
  const reply = JSON.parse(new TextDecoder().decode(await bus.request(apiSubject("apply"), data)));
  expect(reply).toMatchObject({ ok: true });
}

const recorded = z.object({
  metadata: z.object({ ownerReferences: z.array(z.object({ name: z.string() })).min(1) }),
  spec: z.object({ replicas: z.int() }),
});

/** When the actor of each Deployment first sized its set so, in ms since the Unix epoch. */
async function sizedAtMs(
  namespace: string,
  replicas: number,
): Promise<ReadonlyMap<string, number>> {
  const sized = new Map<string, number>();
  for await (const entry of recordedRevisions(store, prefixOf(replicaSet, namespace))) {
    const { metadata, spec } = recorded.parse(JSON.parse(new TextDecoder().decode(entry.value)));
    const owner = metadata.ownerReferences[0]?.name ?? "";
    if (spec.replicas === replicas && !sized.has(owner)) sized.set(owner, entry.storedAtMs);
  }
  return sized;
}

/** Waits for three living controllers; the address's owner among them. */
async function livingOwner(): Promise<(address: string) => string> {
  await using memberships = await natsMemberships({ url: cluster.natsUrl, ...testPorts });
  const stop = new AbortController();
  let members: readonly string[] = [];
  const seen = (living: readonly { readonly id: string }[]) =>
    void (members = living.map(({ id }) => id));
  const following = memberships.follow("controllers", seen, stop.signal);
  await eventually("three controllers live", async () => expect(members).toHaveLength(3));
  stop.abort();
  await following;
  const hash = await addressHash();
  return (address) => ownerOf(address, members, hash) ?? "";
}

/** @returns how long after the kill the last of the dead one's actors acted, in ms */
async function takeover(attempt: number): Promise<number> {
  const namespace = `takeover-${attempt}`;
  await cluster.kubectl(["create", "namespace", namespace]);
  await apply(namespace, 0);
  await eventually("every Deployment has its set", async () =>
    expect((await sizedAtMs(namespace, 0)).size).toBe(names.length),
  );
  const ownerOfAddress = await livingOwner();
  const owners = new Map(
    names.map((name) => [name, ownerOfAddress(addressOf("deployments", `${namespace}/${name}`))]),
  );
  const victim = owners.get("web-0") ?? "";
  const orphaned = names.filter((name) => owners.get(name) === victim);
  // An instance's id is its process's name and a part that is new with each start.
  const process = [...cluster.processes].find(([name]) => victim.startsWith(`${name}-`))?.[1];
  if (process === undefined) throw new Error(`${victim} is none of the cluster's processes`);

  const killedAtMs = Date.now();
  const dead = process.stop("SIGKILL"); // It does not come back: others must answer.
  await apply(namespace, 1);
  await dead;
  const sized = await eventually("every Deployment has scaled", async () => {
    const all = await sizedAtMs(namespace, 1);
    expect(all.size).toBe(names.length);
    return all;
  });
  expect(process.pid()).toBeUndefined();
  process.start();
  return Math.max(...orphaned.map((name) => (sized.get(name) ?? Infinity) - killedAtMs));
}

test("another controllers instance acts within 2 s of a kill -9 of the one that owned the actor", async () => {
  const what = "actors of a dead controllers instance were acted for after";
  expect(await fastest(what, 2_000, takeover)).toBeLessThan(2_000);
});
