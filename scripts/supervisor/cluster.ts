/** A cluster on this machine: nats-server and every service as processes of their own. */
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { type Child, child, type ChildSpec } from "./child.ts";
import { clearAbandonedNetworks } from "./abandoned-networks.ts";
import { cleanMachine } from "./clean-machine.ts";
import { endLeftovers } from "./end-leftovers.ts";
import { identityIn, isFree, recordOf } from "./identity.ts";
import {
  deadClusters,
  forgetOnMachine,
  MachineTaken,
  registerOnMachine,
} from "./machine-registry.ts";
import { natsFilesOf, natsServers } from "./nats-servers.ts";
import { type ClusterOptions, natsServersMax } from "./options.ts";
import { type Ranges, rangesOf, RangesRefused } from "./ranges.ts";
import { hollowEnvironment } from "../../services/node-agent/hollow/options.ts";
import { compileCache, serviceNodeOptions } from "../tools/compile-cache.ts";
import { root } from "../tools/paths.ts";

export type RunningCluster = AsyncDisposable & {
  readonly id: string;
  readonly natsUrl: string;
  readonly kubeconfig: string;
  readonly logs: string;
  /** Its processes by name: `nats` (of several `nats-0`), `api-0`, `controllers-0`, `scheduler-0`, `node-1`, `hollow`, `lb-0`. */
  readonly processes: ReadonlyMap<string, Child>;
};

/**
 * Starts the cluster of `options.dir`, a new one where there is none. Disposing of it takes
 * everything down that carries its id; its state stays. When `signal` aborts meanwhile, what was
 * started is ended again.
 *
 * @throws {MachineTaken} when another cluster is in the way
 * @throws {RangesRefused} when the state was made with other ranges
 */
export async function startCluster(
  options: ClusterOptions,
  onRestart: (name: string) => void,
  signal?: AbortSignal,
): Promise<RunningCluster> {
  const { dir, port } = options;
  const { id, ...recorded } = await identityIn(dir);
  const ranges = rangesOf(options.fresh ? {} : recorded, options, options.nodes + options.hollow);
  const { podCIDR } = ranges;
  refuseOtherServers(options, recorded.natsServers);
  const docker = new Docker();
  await using undo = new AsyncDisposableStack();
  await clearDead(docker);
  undo.use(registerOnMachine({ id, pid: process.pid, dir, port, ...ranges }));
  const clean = async () => void (await cleanMachine(docker, { clusterId: id, podCIDR }));
  // What a `kill -9` of everything left.
  await endLeftovers(id);
  await clean();
  undo.defer(clean);
  if (options.nodes > 0) await clearAbandonedNetworks(docker, { id, podCIDR });
  await refuseTakenPorts(options);
  if (options.fresh) forget(dir);
  await recordOf(dir, { ...ranges, natsServers: options.natsServers });
  signal?.throwIfAborted();
  const logs = join(dir, "logs");
  const nats = await natsServers({ dir, id, logs, servers: options.natsServers }, onRestart);
  undo.defer(async () => {
    await Promise.all(nats.servers.map((server) => server.stop()));
  });
  for (const server of nats.servers) server.start();
  await nats.started();
  signal?.throwIfAborted();

  const kubeconfig = join(dir, "kubeconfig");
  const services = serviceSpecs(options, { id, ranges, natsUrl: nats.url, logs, kubeconfig }).map(
    (spec) => child(spec, onRestart),
  );
  undo.defer(async () => {
    await Promise.all(services.map((service) => service.stop()));
  });
  for (const service of services) service.start();
  const down = undo.move();
  let ended: Promise<void> | undefined;
  return {
    id,
    natsUrl: nats.url,
    kubeconfig,
    logs,
    processes: new Map([...nats.servers, ...services].map((process) => [process.name, process])),
    [Symbol.asyncDispose]: () => (ended ??= down.disposeAsync()),
  };
}

/** What a `kill -9` of everything left, of whichever cluster: its ranges would be in the way. */
async function clearDead(docker: Docker): Promise<void> {
  for (const { id, podCIDR } of deadClusters()) {
    await endLeftovers(id);
    if (await cleanMachine(docker, { clusterId: id, podCIDR })) forgetOnMachine(id);
  }
}

/** @throws {MachineTaken} when another program listens where a gateway is to */
async function refuseTakenPorts({ port, apis }: ClusterOptions): Promise<void> {
  for (const taken of Array.from({ length: apis }, (_, nth) => port + nth)) {
    if (await isFree(taken)) continue;
    throw new MachineTaken(`another program listens on 127.0.0.1:${taken}: choose with --port`);
  }
}

/** @throws {RangesRefused} when the state is that of another number of servers */
function refuseOtherServers({ fresh, natsServers }: ClusterOptions, recorded = natsServers): void {
  if (fresh || recorded === natsServers) return;
  throw new RangesRefused(
    `this cluster was made with --nats-servers ${recorded}, which keep its state: use as many, or ` +
      `make a new cluster with --fresh or another --dir`,
  );
}

/** The state of the cluster, but neither its identity nor what was fetched for the project. */
function forget(dir: string): void {
  for (const part of [
    ...natsFilesOf(1),
    ...natsFilesOf(natsServersMax),
    "pki",
    "kubeconfig",
    "nodes",
    "hollow",
    "lb",
    "logs",
  ]) {
    rmSync(join(dir, part), { recursive: true, force: true });
  }
}

type Places = {
  readonly id: string;
  readonly ranges: Ranges;
  readonly natsUrl: string;
  readonly logs: string;
  readonly kubeconfig: string;
};

function serviceSpecs(options: ClusterOptions, places: Places): readonly ChildSpec[] {
  const { dir, port, nodes, apis, controllers, schedulers } = options;
  const spec = (
    service: string,
    name: string,
    env: Readonly<Record<string, string>>,
  ): ChildSpec => ({
    name,
    command: process.execPath,
    args: [...serviceNodeOptions, join(root, "services", service, "main.ts")],
    env: {
      NODE_COMPILE_CACHE: compileCache,
      BERTH_NATS_URL: places.natsUrl,
      BERTH_NATS_REPLICAS: String(options.natsServers),
      BERTH_CLUSTER_ID: places.id,
      BERTH_INSTANCE: name,
      BERTH_LOG_LEVEL: options.logLevel,
      BERTH_PARENT_PIPE: "1",
      BERTH_POD_CIDR: places.ranges.podCIDR,
      BERTH_SERVICE_CIDR: places.ranges.serviceCIDR,
      ...options.environment,
      ...env,
    },
    logPath: join(places.logs, `${name}.log`),
  });
  const each = (count: number, make: (nth: number) => ChildSpec) =>
    Array.from({ length: count }, (_, nth) => make(nth));
  return [
    ...each(apis, (nth) =>
      spec("api", `api-${nth}`, {
        BERTH_API_HOST: "127.0.0.1",
        BERTH_API_PORT: String(port + nth),
        BERTH_PKI_DIR: join(dir, "pki"),
        ...(nodes > 0 && { BERTH_API_NODE: "node-1" }),
        ...(nth === 0 && { BERTH_KUBECONFIG: places.kubeconfig }),
      }),
    ),
    ...each(controllers, (nth) => spec("controllers", `controllers-${nth}`, {})),
    ...each(schedulers, (nth) => spec("scheduler", `scheduler-${nth}`, {})),
    ...each(nodes, (nth) =>
      spec("node-agent", `node-${nth + 1}`, {
        BERTH_NODE_NAME: `node-${nth + 1}`,
        BERTH_NODE_LABELS: `topology.kubernetes.io/zone=zone-${nth + 1}`,
        BERTH_NODE_SHARE: String(1 / nodes),
        BERTH_DATA_DIR: join(dir, "nodes", `node-${nth + 1}`),
        BERTH_RUNTIME: "docker",
      }),
    ),
    ...each(options.hollow > 0 ? 1 : 0, () =>
      spec("node-agent", "hollow", {
        BERTH_NODE_NAME: "hollow",
        BERTH_DATA_DIR: join(dir, "hollow"),
        BERTH_RUNTIME: "hollow",
        ...hollowEnvironment(options),
      }),
    ),
    ...each(nodes > 0 ? 1 : 0, () =>
      spec("lb", "lb-0", { BERTH_MACHINE: hostname(), BERTH_DATA_DIR: join(dir, "lb") }),
    ),
  ];
}
