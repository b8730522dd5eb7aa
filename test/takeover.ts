/** How long it takes until others act for the actors of a controllers instance that is struck. */
import * as z from "zod";
import { addressOf } from "../libs/actor/behaviour.ts";
import { addressHash, ownerOf } from "../libs/actor/placement.ts";
import type { Bus } from "../libs/bus/bus.ts";
import { prefixOf } from "../libs/cluster/key.ts";
import { replicaSet } from "../libs/model/kinds/replicaset.ts";
import { apiSubject } from "../libs/protocol/subjects.ts";
import { natsMemberships } from "../libs/store/nats-memberships.ts";
import type { Store } from "../libs/store/store.ts";
import { eventually, type TestCluster } from "./cluster.ts";
import { recordedRevisions, testPorts } from "./recorded-pods.ts";

export type TakeoverPorts = {
  readonly cluster: Pick<TestCluster, "kubectl" | "natsUrl">;
  readonly store: Store;
  readonly bus: Pick<Bus, "request">;
  /** How many controllers instances there are. */
  readonly instances: number;
};

/**
 * Something befalls the instance of that id, whose name begins with its process's.
 *
 * @returns what brings it back, or undefined when that instance cannot be struck
 */
export type Strike = (instance: string) => (() => Promise<void>) | undefined;

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
      nodeSelector: { no-such-label: "" }
      containers: [{ name: web, image: "berth/hello:v1" }]
`;

/** @returns how long after the strike the last of the struck one's actors had acted, in ms */
export async function takeover(
  ports: TakeoverPorts,
  namespace: string,
  strike: Strike,
): Promise<number> {
  const { cluster, store, bus } = ports;
  await cluster.kubectl(["create", "namespace", namespace]);
  await apply(bus, namespace, 0);
  await eventually("every Deployment has its set", async () => {
    if ((await sizedAtMs(store, namespace, 0)).size < names.length) throw new Error("not yet");
  });
  const owner = await livingOwner(ports);
  const ownerOfName = (name: string) => owner(addressOf("deployments", `${namespace}/${name}`));
  const owners = new Set(names.map(ownerOfName));
  let struckAtMs = 0;
  let restore: (() => Promise<void>) | undefined;
  let victim = "";
  for (victim of owners) {
    struckAtMs = Date.now();
    restore = strike(victim);
    if (restore !== undefined) break;
  }
  if (restore === undefined) throw new Error(`none of ${[...owners].join(", ")} can be struck`);
  try {
    await apply(bus, namespace, 1);
    const sized = await eventually("every Deployment has scaled", async () => {
      const all = await sizedAtMs(store, namespace, 1);
      if (all.size < names.length) throw new Error("not yet");
      return all;
    });
    const orphaned = names.filter((name) => ownerOfName(name) === victim);
    return Math.max(...orphaned.map((name) => (sized.get(name) ?? Infinity) - struckAtMs));
  } finally {
    await restore();
  }
}

const answered = z.object({ ok: z.literal(true) });

async function apply(bus: TakeoverPorts["bus"], namespace: string, replicas: number) {
  const documents = names.map((name) => manifest(namespace, name, replicas));
  const data = new TextEncoder().encode(documents.join("---\n"));
  answered.parse(
    JSON.parse(new TextDecoder().decode(await bus.request(apiSubject("apply"), data))),
  );
}

const recorded = z.object({
  metadata: z.object({ ownerReferences: z.array(z.object({ name: z.string() })).min(1) }),
  spec: z.object({ replicas: z.int() }),
});

/** When the actor of each Deployment first sized its set so, in ms since the Unix epoch. */
async function sizedAtMs(
  store: Store,
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

/** Waits until all instances live; whose an address is. */
async function livingOwner({
  cluster,
  instances,
}: TakeoverPorts): Promise<(address: string) => string> {
  await using memberships = await natsMemberships({ url: cluster.natsUrl, ...testPorts });
  const stop = new AbortController();
  let members: readonly string[] = [];
  const seen = (living: readonly { readonly id: string }[]) =>
    void (members = living.map(({ id }) => id));
  const following = memberships.follow("controllers", seen, stop.signal);
  await eventually("all controllers live", async () => {
    if (members.length !== instances) throw new Error(`${members.length} live`);
  });
  stop.abort();
  await following;
  const hash = await addressHash();
  return (address) => ownerOf(address, members, hash) ?? "";
}
