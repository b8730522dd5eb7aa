/** Gateways on one real NATS for tests of what comes over it. */
import { natsStore } from "../libs/store/nats.ts";
import { type Op, type Store, StoreUnavailable } from "../libs/store/store.ts";
import { systemClock } from "../libs/telemetry/clock.ts";
import { createLog } from "../libs/telemetry/log.ts";
import { systemRandom } from "../libs/telemetry/random.ts";
import { type HttpsClient, httpsClient } from "./https-client.ts";
import { type NatsServers, startNats } from "./nats-server.ts";
import { type MemoryGateway, openMemoryGateway } from "../services/api/memory-gateway.ts";

export type Side = {
  readonly gateway: MemoryGateway;
  readonly client: HttpsClient;
  readonly life: Life;
};
/** What befalls a gateway. */
export type Life = {
  /** Its next commit but so many is its last: it dies with it, before or after. Undefined: it lives. */
  commits: number | undefined;
  dies: "before" | "after";
  /** Happens before each of its commits. */
  meanwhile: (ops: readonly Op[]) => Promise<void>;
  /** It hears nothing of the state until this resolves, or it asks how far the state is. */
  deaf: PromiseWithResolvers<void> | undefined;
};
export type Gateways = AsyncDisposable & {
  readonly nats: NatsServers;
  readonly sides: readonly [Side, Side];
};

/** Two of them, with a Namespace `default`. */
export async function openGateways(): Promise<Gateways> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ sync: "2m" }));
  const open = async (): Promise<Side> => {
    const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
    const store = stack.use(await natsStore({ url: nats.url, bucket: "state", ...ports }));
    const life: Life = {
      commits: undefined,
      dies: "before",
      meanwhile: async () => undefined,
      deaf: undefined,
    };
    const gateway = stack.use(await openMemoryGateway({ state: befallen(store, life) }));
    return { gateway, client: httpsClient(gateway), life };
  };
  const sides = [await open(), await open()] as const;
  const body = { metadata: { name: "default" } };
  await sides[0].client.call("POST", "/api/v1/namespaces", { body });
  const opened = stack.move();
  return { nats, sides, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** For whoever is killed all that is written after it is not written, and nothing is answered. */
function befallen(store: Store, life: Life): Store {
  const died = () => new StoreUnavailable("the gateway was killed");
  return {
    ...store,
    async commit(...asked) {
      await life.meanwhile(asked[0]);
      if (life.commits === undefined) return store.commit(...asked);
      life.commits -= 1;
      if (life.commits < 0) throw died();
      if (life.commits > 0) return store.commit(...asked);
      if (life.dies === "after") await store.commit(...asked);
      throw died();
    },
    async lastRevision() {
      life.deaf?.resolve();
      return store.lastRevision();
    },
    async *feed(options) {
      for await (const item of store.feed(options)) {
        await life.deaf?.promise;
        yield item;
      }
    },
  };
}
