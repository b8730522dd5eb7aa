/**
 * Informers over gateways that are killed and restarted under them: what each client was told is
 * compared with the record.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readFile } from "node:fs/promises";
import { natsStore } from "../../libs/store/nats.ts";
import type { Store } from "../../libs/store/store.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { type Random, systemRandom } from "../../libs/telemetry/random.ts";
import { eventually } from "../cluster.ts";
import { type HttpsClient, httpsClient, type HttpsPlace, placeIn } from "../https-client.ts";
import { startNats } from "../nats-server.ts";
import { balancer } from "./balancer.ts";
import { type Gateways, startGateways } from "./gateways.ts";
import { follow, type Follower, type Informer, informerOf } from "./watchers.ts";

export type InformersOptions = {
  readonly changes: number;
  readonly gateways: number;
  /** How many times a gateway is ended, by turns with -9 and with SIGTERM, and started again. */
  readonly ends: number;
};

export type InformersReport = {
  readonly changes: number;
  readonly seconds: number;
  readonly kills: number;
  readonly restarts: number;
  readonly clients: number;
  /** By all informers together, the first of each included. */
  readonly lists: number;
  readonly resumed: number;
  readonly expired: number;
  readonly connections: number;
  /** What a client was not told, or was told twice, or too late. */
  readonly wrong: readonly string[];
};

const namespace = "watched";
const collection = `/api/v1/namespaces/${namespace}/configmaps`;
const names = 60;
const writers = 6;

export async function informers(
  random: Random,
  { changes, gateways: count, ends }: InformersOptions,
): Promise<InformersReport> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ sync: "2m" }));
  const gateways = stack.use(await startGateways(nats.url, count));
  const front = stack.use(await balancer(() => gateways.ports));
  const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
  const store = stack.use(await natsStore({ url: nats.url, bucket: "state", ...ports }));
  const own = placeIn(await readFile(gateways.kubeconfig, "utf8"));
  const place = { ...own, server: `https://127.0.0.1:${front.port}` };
  const client = httpsClient(place);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  const from = String(await store.lastRevision());
  const clients = await watchersOf(place, from, stack);
  const began = performance.now();
  const written = { count: 0 };
  const writing = Promise.all(
    Array.from({ length: writers }, () => write(client, random, written, changes)),
  );
  const ended = await endSome(gateways, ends, () => written.count / changes);
  await writing;
  const last = await ending(client);
  const seconds = (performance.now() - began) / 1_000;
  const wrong = await judged(store, { ...clients, from: Number(from), last });
  return {
    changes: written.count,
    seconds: Math.round(seconds * 10) / 10,
    ...ended,
    clients: clients.informers.length + clients.followers.length,
    lists: sum(clients.informers.map(({ lists }) => lists())),
    resumed: sum([
      ...clients.followers.map(({ resumed }) => resumed()),
      ...clients.informers.map(({ restarts }) => restarts()),
    ]),
    expired: sum(clients.followers.map(({ expired }) => expired())),
    connections: front.connections(),
    wrong,
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

type Clients = { readonly informers: readonly Informer[]; readonly followers: readonly Follower[] };

async function watchersOf(
  place: HttpsPlace,
  from: string,
  stack: AsyncDisposableStack,
): Promise<Clients> {
  const made = await Promise.all(Array.from({ length: 3 }, () => informerOf(place, namespace)));
  for (const one of made) stack.use(one);
  const followers = [undefined, undefined, 1, 2].map((timeoutSeconds) =>
    stack.use(follow(place, namespace, { from, timeoutSeconds })),
  );
  return { informers: made, followers };
}

/** Makes, changes and deletes objects until there were enough changes; what fails is tried no more. */
async function write(
  client: HttpsClient,
  random: Random,
  written: { count: number },
  changes: number,
): Promise<void> {
  while (written.count < changes) {
    const name = `c${Math.floor(random.next() * names)}`;
    const draw = random.next();
    const body = { metadata: { name }, data: { at: String(written.count) } };
    try {
      const { code } =
        draw < 0.15
          ? await client.call("DELETE", `${collection}/${name}`)
          : await client.call("PATCH", `${collection}/${name}`, {
              body,
              contentType: "application/merge-patch+json",
            });
      const made = code === 404 ? await client.call("POST", collection, { body }) : { code };
      if (made.code < 300) written.count += 1;
    } catch {
      await sleep(10); // The gateway went away: it may have been written or not, the record knows.
    }
  }
}

/** Ends gateways one after another, as the changes go on. */
async function endSome(gateways: Gateways, ends: number, progress: () => number) {
  let [kills, restarts] = [0, 0];
  for (let nth = 0; nth < ends; nth += 1) {
    while (progress() < (nth + 0.5) / ends) await sleep(10);
    const which = nth % gateways.ports.length;
    const signal = nth % 2 === 0 ? "SIGKILL" : "SIGTERM";
    await gateways.end(which, signal);
    await gateways.start(which);
    if (signal === "SIGKILL") kills += 1;
    else restarts += 1;
  }
  return { kills, restarts };
}

/** The last change of all: who has seen it has seen everything. */
async function ending(client: HttpsClient): Promise<string> {
  return eventually("the last object is made", async () => {
    const { code, body } = await client.call("POST", collection, {
      body: { metadata: { name: "last" } },
    });
    if (code !== 201) throw new Error(JSON.stringify(body));
    return (body["metadata"] as { resourceVersion: string }).resourceVersion;
  });
}

async function judged(
  store: Store,
  {
    informers: made,
    followers,
    from,
    last,
  }: Clients & { readonly from: number; readonly last: string },
): Promise<readonly string[]> {
  const { events, held } = await recorded(store, from, Number(last));
  const wrong: string[] = [];
  for (const [nth, follower] of followers.entries()) {
    await eventually("a watch has shown the last change", async () => {
      if (!follower.events.includes(`${last} ADDED last`)) throw new Error("it lags");
    });
    wrong.push(...differences(`watch ${nth}`, events, follower.events));
  }
  for (const [nth, informer] of made.entries()) {
    await eventually("an informer has shown the last change", async () => {
      if (informer.held().get("last") !== last) throw new Error("it lags");
    });
    const shown = [...informer.held()].map(([name, revision]) => `${name}@${revision}`);
    const wanted = [...held].map(([name, revision]) => `${name}@${revision}`);
    wrong.push(...differences(`informer ${nth}`, wanted.toSorted(), shown.toSorted()));
    wrong.push(...informer.outOfOrder.map((text) => `informer ${nth}: ${text}`));
  }
  return wrong;
}

/** Where two lists part, if they do. */
function differences(
  who: string,
  wanted: readonly string[],
  shown: readonly string[],
): readonly string[] {
  const at = wanted.findIndex((one, nth) => shown[nth] !== one);
  if (at < 0 && wanted.length === shown.length) return [];
  const nth = at < 0 ? wanted.length : at;
  const few = (all: readonly string[]) => all.slice(nth, nth + 3).join(", ");
  return [
    `${who}: ${shown.length} of ${wanted.length}; wanted ${few(wanted)}; shown ${few(shown)}`,
  ];
}

/** Every change of the collection as a watch must tell it, and what is there after the last. */
async function recorded(store: Store, after: number, upTo: number) {
  const held = new Map<string, number>();
  const events: string[] = [];
  const prefix = `configmaps.${namespace}.`;
  for await (const { key, revision, deleted } of store.history({ after, upTo, prefix })) {
    const name = key.slice(prefix.length);
    const type = deleted ? "DELETED" : held.has(name) ? "MODIFIED" : "ADDED";
    events.push(`${revision} ${type} ${name}`);
    if (deleted) held.delete(name);
    else held.set(name, revision);
  }
  return { events, held };
}
