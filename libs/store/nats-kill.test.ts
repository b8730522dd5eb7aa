/** A server is killed (-9) and restarted under the writers: nothing acknowledged is lost (S4). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsServers, startNats } from "../../test/nats-server.ts";
import { put, revisionOf, storeContract, textReplica } from "./contract.ts";
import { storeModel } from "./contract-model.ts";
import { natsBuckets } from "./nats-buckets.ts";
import type { Store } from "./store.ts";

test("one server, killed and restarted under the writers, loses and doubles nothing", async () => {
  await using servers = await startNats();
  expect(await survives(servers, 0, 1)).toEqual([]);
}, 60_000);

test("a cluster of three, its leader killed and restarted, loses and doubles nothing", async () => {
  await using servers = await startNats({ cluster: 3 });
  expect(await survives(servers, undefined, 3)).toEqual([]);
}, 90_000);

/** @returns the counts that are not as their writers left them */
async function survives(servers: NatsServers, victim: number | undefined, replicas: number) {
  await using bucket = await natsBuckets(() => servers, { replicas });
  const [store, other] = [await bucket.open(), await bucket.open()];
  await using replica = await textReplica(other, bucket.clock);
  const stop = new AbortController();
  const writers = Array.from({ length: 16 }, (_, at) =>
    countUp(at % 2 === 0 ? store : other, `count.${at}`, stop.signal),
  );
  await untilCounted(replica, 5);
  const leader = victim ?? Math.max(0, await servers.leaderOf(bucket.stream));
  await servers.kill(leader);
  await servers.restart(leader);
  const before = counted(replica);
  const restartedAt = performance.now();
  await untilCounted(replica, before + 5);
  const backMs = Math.round(performance.now() - restartedAt);
  process.stdout.write(`${JSON.stringify({ event: "writes seen again", replicas, backMs })}\n`);
  stop.abort();
  const counts = await Promise.all(writers);
  await replica.caughtUp(await store.lastRevision(), { timeoutMs: 10_000 });
  return counts.filter((count, at) => replica.get(`count.${at}`)?.value !== String(count));
}

/** Writes 1, 2, 3 … under `key`, each over the one before; the last that was acknowledged. */
async function countUp(store: Store, key: string, signal: AbortSignal): Promise<number> {
  let revision: number | "absent" = "absent";
  let count = 0;
  while (!signal.aborted) {
    // The only writer of its key: any conflict would be a commit that was taken for lost.
    revision = revisionOf(await store.commit([put(key, revision, String(count + 1))]));
    count += 1;
  }
  return count;
}

type Counts = Awaited<ReturnType<typeof textReplica>>;
const counted = (replica: Counts) =>
  Math.min(
    ...Array.from({ length: 16 }, (_, at) => Number(replica.get(`count.${at}`)?.value ?? 0)),
  );

function untilCounted(replica: Counts, least: number): Promise<void> {
  return new Promise((resolve) => {
    const watching = replica.subscribe(() => {
      if (counted(replica) < least) return;
      watching[Symbol.dispose]();
      resolve();
    });
  });
}

let cluster: NatsServers;
beforeAll(async () => {
  cluster = await startNats({ cluster: 3 });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});
const onCluster = () => natsBuckets(() => cluster, { replicas: 3, tombstoneSeconds: 1 });
storeContract("natsStore on a cluster", onCluster);
storeModel("natsStore on a cluster", onCluster, { runs: 3, size: 10 });
