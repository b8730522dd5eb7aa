/** The gateway's process: reads the environment, holds the resources, decides nothing. */
import { connect } from "@nats-io/transport-node";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { proveHealth } from "../../libs/cluster/prove-health.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { apiAddressIn } from "../../libs/model/address-range.ts";
import { apiNames } from "../../libs/model/api-service.ts";
import { kinds } from "../../libs/model/registry.ts";
import { natsMemberships } from "../../libs/store/nats-memberships.ts";
import { natsEnvironment } from "../../libs/store/nats-environment.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { runGatewayDuties } from "./auth/gateway-duties.ts";
import { dispatcher, serve } from "./http/server.ts";
import { applyManifests, openManifests } from "./nats/manifests.ts";
import { openParked } from "./nats/parked.ts";
import { dispatchTo } from "./nats/dispatch.ts";
import { serveRest } from "./nats/rest.ts";
import { serveVerbs } from "./nats/verbs.ts";
import { openAuthority, serverIdentity } from "./pki/authority.ts";
import { writeKubeconfig } from "./pki/kubeconfig.ts";
import { gatewayId } from "./service/api-slices.ts";
import { gatewaysGroup, keepSlices } from "./service/keep-slices.ts";
import { openPodsDoor } from "./service/pods-door.ts";
import { openGateway } from "./open-gateway.ts";
import { routesNow, routesOf } from "./routes.ts";

const environment = z.object({
  ...natsEnvironment,
  BERTH_API_HOST: z.string().default("127.0.0.1"),
  /** 0: any free one, which the kubeconfig then names. */
  BERTH_API_PORT: z.coerce.number().int().min(0).max(65_535).default(6443),
  /** Further names and addresses that clients reach the gateway by, separated by commas. */
  BERTH_API_NAMES: z.string().default(""),
  /** A node of this machine: its pods reach the gateway, at their network's own address here. */
  BERTH_API_NODE: z.string().optional(),
  /** The address in the kubeconfig, where clients do not reach the one that is listened on. */
  BERTH_API_ADDRESS: z.string().optional(),
  BERTH_PKI_DIR: z.string().default(".berth/pki"),
  BERTH_KUBECONFIG: z.string().optional(),
  /** Touched whenever the service has done its work anew. */
  BERTH_HEALTH_FILE: z.string().optional(),
  BERTH_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  BERTH_INSTANCE: z.string().default("api"),
});
const config = environment.parse(process.env);
const settings = settingsFromEnvironment.parse(process.env);

using stop = stopSignal();
const { signal } = stop;
const log = createLog("api", config.BERTH_LOG_LEVEL).child({ instance: config.BERTH_INSTANCE });
const ports = { clock: systemClock, random: systemRandom, log };
const { BERTH_NATS_URL: url, BERTH_NATS_REPLICAS: replicas } = config;

const authority = await openAuthority(config.BERTH_PKI_DIR, ports);
const connection = await connect({
  servers: url.split(","),
  name: `${config.BERTH_INSTANCE} manifests`,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  waitOnFirstConnect: true,
  noAsyncTraces: true,
});
await using _connection = { [Symbol.asyncDispose]: () => connection.close() };
await using bus = await natsBus({ url, name: config.BERTH_INSTANCE, ...ports });
await using cluster = await openCluster({ url, replicas, settings, signal, ...ports });
const names = config.BERTH_API_NAMES.split(",").filter((name) => name !== "");
const reached = [
  config.BERTH_API_HOST,
  "127.0.0.1",
  "localhost",
  ...apiNames(cluster.settings.domain),
  apiAddressIn(cluster.settings.serviceCIDR),
  ...names,
];
const hosts = reached.filter((host) => host !== "0.0.0.0" && host !== "::");
const identity = await serverIdentity(authority, hosts, ports);

await using events = await natsStore({
  url,
  replicas,
  bucket: "events",
  maxAgeSeconds: 3_600,
  ...ports,
});
await using gateway = await openGateway({
  kinds,
  cluster,
  events,
  bus,
  authority,
  signal,
  ...ports,
});

const parked = await openParked(connection, replicas);
const manifests = await openManifests(connection, replicas);
const routes = routesOf(gateway);
const now = routesNow(gateway);
const dispatch = dispatchTo(dispatcher({ routes, routesNow: now, log }), log);
await using _verbs = await serveVerbs(gateway, { dispatch, parked });
await using _rest = await serveRest(bus, dispatch, signal);

const serveAt = (host: string, port: number) =>
  serve({
    host,
    port,
    identity,
    authenticate: gateway.identity.authenticate,
    clientAuthority: authority.certificate,
    routes,
    routesNow: now,
    signal,
    ...ports,
  });
const server = await serveAt(config.BERTH_API_HOST, config.BERTH_API_PORT);
await using _server = server;
const shownHost = hosts.includes(config.BERTH_API_HOST) ? config.BERTH_API_HOST : "127.0.0.1";
const address = config.BERTH_API_ADDRESS ?? `https://${shownHost}:${server.port}`;
if (config.BERTH_KUBECONFIG !== undefined) {
  await writeKubeconfig(config.BERTH_KUBECONFIG, {
    server: address,
    authority,
    random: systemRandom,
  });
}
await using memberships = await natsMemberships({ url, replicas, ...ports });
const instance = `${config.BERTH_INSTANCE}-${systemRandom.uuid().slice(0, 8)}`;
const forPods = async (node: string) =>
  openPodsDoor({
    gateway,
    node,
    open: (host) => serveAt(host, server.port),
    opened: (host, port) => {
      const member = { id: gatewayId(instance, host, port), group: gatewaysGroup };
      return memberships.announce(member, signal);
    },
    signal,
    ...ports,
  });
log.info({ address }, "the gateway serves");
await Promise.all([
  ...(config.BERTH_API_NODE === undefined ? [] : [forPods(config.BERTH_API_NODE)]),
  runGatewayDuties(gateway, { signal, ...ports }),
  keepSlices({ gateway, memberships, signal, ...ports }),
  applyManifests(gateway, manifests, { parked, signal }),
  proveHealth({ cluster, mark: healthMark(config.BERTH_HEALTH_FILE, log), signal, ...ports }),
]);
log.info("the gateway stops");
