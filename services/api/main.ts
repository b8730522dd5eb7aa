/** The gateway's process: reads the environment, holds the resources, decides nothing. */
import { connect } from "@nats-io/transport-node";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { proveHealth } from "../../libs/cluster/prove-health.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { kinds } from "../../libs/model/registry.ts";
import { natsEnvironment } from "../../libs/store/nats-environment.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { bearerCheck } from "./auth/bearer.ts";
import { serve } from "./http/server.ts";
import { applyManifests, openManifests } from "./nats/manifests.ts";
import { openParked } from "./nats/parked.ts";
import { serveVerbs } from "./nats/verbs.ts";
import { openAuthority, serverIdentity } from "./pki/authority.ts";
import { writeKubeconfig } from "./pki/kubeconfig.ts";
import { openGateway } from "./open-gateway.ts";
import { routesNow, routesOf } from "./routes.ts";

const environment = z.object({
  ...natsEnvironment,
  BERTH_API_HOST: z.string().default("127.0.0.1"),
  /** 0: any free one, which the kubeconfig then names. */
  BERTH_API_PORT: z.coerce.number().int().min(0).max(65_535).default(6443),
  /** Further names and addresses that clients reach the gateway by, separated by commas. */
  BERTH_API_NAMES: z.string().default(""),
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
const names = config.BERTH_API_NAMES.split(",").filter((name) => name !== "");
const reached = [
  config.BERTH_API_HOST,
  "127.0.0.1",
  "localhost",
  "kubernetes.default.svc",
  ...names,
];
const hosts = reached.filter((host) => host !== "0.0.0.0" && host !== "::");
const identity = await serverIdentity(authority, hosts, ports);

const connection = await connect({
  servers: url.split(","),
  name: `${config.BERTH_INSTANCE} manifests`,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  waitOnFirstConnect: true,
});
await using _connection = { [Symbol.asyncDispose]: () => connection.close() };
await using bus = await natsBus({ url, name: config.BERTH_INSTANCE, ...ports });
await using cluster = await openCluster({ url, replicas, settings, signal, ...ports });
await using events = await natsStore({
  url,
  replicas,
  bucket: "events",
  maxAgeSeconds: 3_600,
  ...ports,
});
await using gateway = await openGateway({ kinds, cluster, events, bus, signal, ...ports });

const parked = await openParked(connection, replicas);
const manifests = await openManifests(connection, replicas);
await using _verbs = await serveVerbs(gateway, parked);

const server = await serve({
  host: config.BERTH_API_HOST,
  port: config.BERTH_API_PORT,
  identity,
  authenticate: bearerCheck(authority.token),
  routes: routesOf(gateway),
  routesNow: routesNow(gateway),
  signal,
  ...ports,
});
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
log.info({ address }, "the gateway serves");
await Promise.all([
  applyManifests(gateway, manifests, { parked, signal }),
  proveHealth({ cluster, mark: healthMark(config.BERTH_HEALTH_FILE, log), signal, ...ports }),
]);
log.info("the gateway stops");
