/** Clients that watch ConfigMaps through whatever befalls the gateways, and what they were told. */
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from "@kubernetes/client-node";
import type { HttpsPlace } from "../https-client.ts";
import { openWatch } from "../watch-client.ts";

/** The client library's informer: lists once, watches, and lists again only when it is told 410. */
export type Informer = AsyncDisposable & {
  /** Name → resourceVersion, as its cache has them. */
  held(): ReadonlyMap<string, string>;
  readonly lists: () => number;
  readonly restarts: () => number;
  /** Events of an object at a revision that is not above its last one. */
  readonly outOfOrder: readonly string[];
};

export async function informerOf(
  { server, authority, token }: HttpsPlace,
  namespace: string,
): Promise<Informer> {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "c", server, caData: Buffer.from(authority).toString("base64") }],
    users: [{ name: "u", token }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const api = config.makeApiClient(CoreV1Api);
  let [lists, restarts, isOver] = [0, 0, false];
  const last = new Map<string, number>();
  const outOfOrder: string[] = [];
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer(config, path, async () => {
    lists += 1;
    return api.listNamespacedConfigMap({ namespace });
  });
  const saw = ({ metadata }: V1ConfigMap) => {
    const name = metadata?.name ?? "";
    const revision = Number(metadata?.resourceVersion);
    const before = last.get(name) ?? 0;
    if (revision <= before) outOfOrder.push(`${name}: ${revision} after ${before}`);
    last.set(name, revision);
  };
  for (const verb of ["add", "update", "delete"] as const) informer.on(verb, saw);
  const failed = (error: unknown) => outOfOrder.push(`it failed: ${String(error)}`);
  // It stops at a broken connection: starting it again is its user's part.
  informer.on("error", () => {
    if (isOver) return;
    restarts += 1;
    sleep(50)
      .then(() => (isOver ? undefined : informer.start()))
      .catch(failed);
  });
  await informer.start();
  return {
    held: () =>
      new Map(
        informer
          .list()
          .map(({ metadata }) => [metadata?.name ?? "", metadata?.resourceVersion ?? ""]),
      ),
    lists: () => lists,
    restarts: () => restarts,
    outOfOrder,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await informer.stop();
    },
  };
}

/** A watch by hand, which resumes from the last revision that it was told, and keeps all it was told. */
export type Follower = AsyncDisposable & {
  /** `revision type name`, in the order in which they came. */
  readonly events: readonly string[];
  /** How often it began anew, and how often it was told that it could not. */
  readonly resumed: () => number;
  readonly expired: () => number;
};

/** @param timeoutSeconds after which each of its watches ends; then bookmarks say where it goes on */
export function follow(
  place: HttpsPlace,
  namespace: string,
  { from, timeoutSeconds }: { readonly from: string; readonly timeoutSeconds: number | undefined },
): Follower {
  const events: string[] = [];
  let [revision, resumed, expired, isOver] = [from, 0, 0, false];
  const stop = new AbortController();
  async function once(): Promise<void> {
    const more = timeoutSeconds === undefined ? "" : `&timeoutSeconds=${timeoutSeconds}`;
    const query = `watch=1&allowWatchBookmarks=1&resourceVersion=${revision}${more}`;
    await using watch = await openWatch(
      place,
      `/api/v1/namespaces/${namespace}/configmaps?${query}`,
    );
    const leave = () => void watch[Symbol.asyncDispose]();
    stop.signal.addEventListener("abort", leave, { once: true });
    for (let event = await watch.next(); event !== undefined; event = await watch.next()) {
      const { type, object } = event;
      if (type === "ERROR") {
        if (object["code"] === 410) expired += 1;
        return;
      }
      revision = object.metadata.resourceVersion;
      if (type !== "BOOKMARK") events.push(`${revision} ${type} ${object.metadata.name}`);
    }
  }
  const running = (async () => {
    while (!isOver) {
      try {
        await once();
      } catch {
        await sleep(20); // No gateway took it: the next one will.
      }
      resumed += 1;
    }
  })();
  return {
    events,
    resumed: () => resumed,
    expired: () => expired,
    async [Symbol.asyncDispose]() {
      isOver = true;
      stop.abort();
      await running;
    },
  };
}
