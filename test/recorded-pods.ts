/**
 * What the cluster's own record says of a namespace's pods: every revision there was, whoever was
 * dead meanwhile. It needs no gateway, and no watch that was alive at the time.
 */
import { keyOf, prefixOf } from "../libs/cluster/key.ts";
import type { Kind } from "../libs/model/kind.ts";
import { pod } from "../libs/model/kinds/pod.ts";
import { natsStore } from "../libs/store/nats.ts";
import type { Entry, Revision, Store } from "../libs/store/store.ts";
import { systemClock } from "../libs/telemetry/clock.ts";
import { createLog } from "../libs/telemetry/log.ts";
import { systemRandom } from "../libs/telemetry/random.ts";
import type { TestCluster } from "./cluster.ts";
import { type CensusReport, podCensus, type Promised, seenPod } from "./pod-census.ts";

export const testPorts = {
  clock: systemClock,
  random: systemRandom,
  log: createLog("test", "silent"),
};

/** The cluster's state, spoken to directly. */
export const storeOf = (cluster: Pick<TestCluster, "natsUrl">): Promise<Store> =>
  natsStore({ url: cluster.natsUrl, bucket: "state", ...testPorts });

/**
 * The namespace's pods from the first on, counted at every revision; availability since `settled`.
 *
 * @throws {Error} when the record lacks a revision
 */
export async function recordedCensus(
  store: Store,
  namespace: string,
  { settled, ...promised }: Promised & { readonly settled: Revision },
): Promise<CensusReport> {
  const census = podCensus(promised);
  let isSettled = false;
  for await (const entry of recordedRevisions(store, prefixOf(pod, namespace))) {
    if (!isSettled && entry.revision > settled) {
      census.settled();
      isSettled = true;
    }
    const object = seenPod.parse(jsonIn(entry));
    census.saw(object.metadata.name, entry.deleted ? undefined : object, entry.storedAtMs);
  }
  return census.report();
}

/** Every revision of keys under `prefix`. @throws {Error} when the record lacks one */
export async function* recordedRevisions(store: Store, prefix: string): AsyncIterable<Entry> {
  const upTo = await store.lastRevision();
  yield* withoutGap(store.history({ after: 0, upTo, prefix }));
}

/**
 * Each revision names the one before it of its key, so none can be missing.
 *
 * @param onHidden told of a deletion before which revisions are missing, and of the last of its key
 * before those (0: none); without it that is an error
 * @throws {Error} when one is missing
 */
export async function* withoutGap(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  onHidden?: (deletion: Entry, lastKnown: Revision) => void,
): AsyncIterable<Entry> {
  const last = new Map<string, Revision>();
  for await (const entry of entries) {
    const before = last.get(entry.key) ?? 0;
    const isHidden = entry.previous !== before;
    if (isHidden && entry.deleted && onHidden !== undefined) onHidden(entry, before);
    else if (isHidden) {
      throw new Error(
        `the record of ${entry.key} lacks ${entry.previous} before ${entry.revision}`,
      );
    }
    last.set(entry.key, entry.revision);
    yield entry;
  }
}

/** When each revision of one object was stored, with what it held. */
export async function recordOf(
  store: Store,
  kind: Pick<Kind, "group" | "plural" | "namespaced">,
  namespace: string | undefined,
  name: string,
): Promise<readonly { readonly atMs: number; readonly value: unknown }[]> {
  const key = keyOf(kind, namespace, name);
  const entries = await Array.fromAsync(recordedRevisions(store, key));
  return entries
    .filter((entry) => entry.key === key)
    .map((entry) => ({ atMs: entry.storedAtMs, value: jsonIn(entry) }));
}

const jsonIn = ({ value }: Entry): unknown => JSON.parse(new TextDecoder().decode(value));
