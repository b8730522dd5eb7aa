/** A gateway in this process, on a store and a bus in memory, for tests: all of it but NATS. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "../../libs/bus/bus.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { clusterOn } from "../../libs/cluster/open.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { kinds } from "../../libs/model/registry.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import type { Store } from "../../libs/store/store.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { runGatewayDuties } from "./auth/gateway-duties.ts";
import { dispatcher, serve } from "./http/server.ts";
import { dispatchTo } from "./nats/dispatch.ts";
import { serveRest } from "./nats/rest.ts";
import { serveVerbs } from "./nats/verbs.ts";
import { openAuthority, serverIdentity } from "./pki/authority.ts";
import { openGateway } from "./open-gateway.ts";
import type { Gateway } from "./resources/gateway.ts";
import { routesNow, routesOf } from "./routes.ts";

export type MemoryGateway = AsyncDisposable & {
  readonly server: string;
  readonly authority: string;
  readonly token: string;
  readonly store: Store;
  /** What it answers requests on. */
  readonly bus: Bus;
  /** What is behind all that it answers. */
  readonly gateway: Gateway;
};

/** @param stores real ones, or such as others share, in place of its own, and a bus; they stay open */
export async function openMemoryGateway(
  stores: { readonly state?: Store; readonly events?: Store; readonly bus?: Bus } = {},
): Promise<MemoryGateway> {
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const log = createLog("api", "silent");
  const ports = { clock: systemClock, random: systemRandom, log };
  const { signal } = stop;
  const folder = await mkdtemp(join(tmpdir(), "berth-gateway-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const authority = await openAuthority(folder, ports);
  const identity = await serverIdentity(authority, ["127.0.0.1"], ports);
  const bus = stores.bus ?? stack.use(memoryBus());
  const settings = settingsFromEnvironment.parse({});
  const store = stores.state ?? stack.use(memoryStore());
  const shared = { ...store, [Symbol.asyncDispose]: async () => undefined };
  const cluster = stack.use(await clusterOn(shared, settings, { ...ports, signal }));
  const events = stores.events ?? stack.use(memoryStore());
  const gateway = stack.use(
    await openGateway({ kinds, cluster, events, bus, authority, signal, ...ports }),
  );
  const shown = { routes: routesOf(gateway), routesNow: routesNow(gateway) };
  const dispatch = dispatchTo(dispatcher({ ...shown, log }), log);
  const parked = { park: async () => undefined, list: async () => [] };
  stack.use(await serveVerbs(gateway, { dispatch, parked }));
  stack.use(await serveRest(bus, dispatch, signal));
  const server = await serve({
    host: "127.0.0.1",
    port: 0,
    identity,
    authenticate: gateway.identity.authenticate,
    clientAuthority: authority.certificate,
    ...shown,
    signal,
    ...ports,
  });
  stack.use(server);
  const duties = runGatewayDuties(gateway, { signal, ...ports });
  stack.defer(() => duties);
  stack.defer(() => stop.abort());
  const opened = stack.move();
  return {
    server: `https://127.0.0.1:${server.port}`,
    authority: authority.certificate,
    token: authority.token,
    store,
    bus,
    gateway,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
