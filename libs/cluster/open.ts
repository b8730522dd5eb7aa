/** Opens the cluster's state: the store, a replica of all of it, and the settings. */
import type { Log } from "../telemetry/log.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Random } from "../telemetry/random.ts";
import { natsStore } from "../store/nats.ts";
import { openReplica } from "../store/open-replica.ts";
import type { Replica } from "../store/replica.ts";
import type { Store } from "../store/store.ts";
import { format, migrate } from "./format.ts";
import { formatKey, settingsKey } from "./key.ts";
import { clusterSettings, type ClusterSettings } from "./settings.ts";
import { clusterView, type ClusterView, replicaOptions } from "./view.ts";

export type Cluster = AsyncDisposable & {
  readonly store: Store;
  readonly replica: Replica<unknown>;
  readonly view: ClusterView;
  readonly settings: ClusterSettings;
};

export type OpenOptions = {
  readonly url: string;
  /** Copies of the state's streams, where they are made. */
  readonly replicas: number;
  /** Recorded when the cluster has none yet. */
  readonly settings: ClusterSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Ends the replica. */
  readonly signal: AbortSignal;
  /** Gives up what is not open yet; what is open stays open. */
  readonly opening?: AbortSignal | undefined;
};

/**
 * @throws {NewerFormat} when the state was written by a newer Berth
 * @throws {StoreUnavailable} when it is given up
 */
export async function openCluster({
  url,
  replicas,
  settings,
  ...ports
}: OpenOptions): Promise<Cluster> {
  const store = await natsStore({ url, replicas, bucket: "state", ...ports });
  return clusterOn(store, settings, ports);
}

/** The same on a store that is open already; the cluster owns it from here. */
export async function clusterOn(
  store: Store,
  proposed: ClusterSettings,
  ports: Pick<OpenOptions, "clock" | "log" | "signal" | "opening">,
): Promise<Cluster> {
  const found = await establish(store, proposed);
  const replica = await openedReplica(store, ports);
  const view = clusterView(replica);
  await migrate(store, view);
  return {
    store,
    replica,
    view,
    settings: found,
    async [Symbol.asyncDispose]() {
      await replica[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Loaded, or given up: who waits for a store that does not answer can still be told to stop. */
async function openedReplica(
  store: Store,
  { opening, ...ports }: Pick<OpenOptions, "clock" | "log" | "signal" | "opening">,
): Promise<Replica<unknown>> {
  const given = new AbortController();
  const giveUp = () => given.abort();
  if (opening?.aborted === true) giveUp();
  opening?.addEventListener("abort", giveUp);
  try {
    const signal = AbortSignal.any([ports.signal, given.signal]);
    return await openReplica(store, { ...replicaOptions, ...ports, signal });
  } finally {
    opening?.removeEventListener("abort", giveUp);
  }
}

export class NewerFormat extends Error {
  override readonly name = "NewerFormat";
}

/** The recorded settings; records `proposed` where there are none, in one transaction. */
async function establish(store: Store, proposed: ClusterSettings): Promise<ClusterSettings> {
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  await store.commit([
    { op: "put", key: formatKey, expect: "absent", value: encode(format) },
    { op: "put", key: settingsKey, expect: "absent", value: encode(proposed) },
  ]);
  const [found, settings] = await Promise.all([store.get(formatKey), store.get(settingsKey)]);
  if (found === undefined || settings === undefined) throw new Error("the settings were not kept");
  const number = Number(new TextDecoder().decode(found.value));
  if (number > format) {
    throw new NewerFormat(`the state has format ${number}, this Berth knows ${format}`);
  }
  return clusterSettings.parse(JSON.parse(new TextDecoder().decode(settings.value)));
}
