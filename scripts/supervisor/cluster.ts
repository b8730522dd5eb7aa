/** A cluster on this machine: nats-server and every service as processes of their own. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { type Child, child, type ChildSpec } from "./child.ts";
import { clearAbandonedNetworks } from "./abandoned-networks.ts";
import { cleanMachine } from "./clean-machine.ts";
import { endLeftovers } from "./end-leftovers.ts";
import { freeNatsPort, identityIn, isFree, recordRanges } from "./identity.ts";
import {
  deadClusters,
  forgetOnMachine,
  MachineTaken,
  registerOnMachine,
} from "./machine-registry.ts";
import type { ClusterOptions } from "./options.ts";
import { type Ranges, rangesOf } from "./ranges.ts";
import { compileCache, serviceNodeOptions } from "../tools/compile-cache.ts";
import { ensureNatsServer } from "../tools/tools.ts";
import { root } from "../tools/paths.ts";
import { which } from "../tools/run.ts";

export type RunningCluster = AsyncDisposable & {
  readonly id: string;
  readonly natsUrl: string;
  readonly kubeconfig: string;
  readonly logs: string;
  /** Its processes by name: `nats`, `api-0`, `controllers-0`, `scheduler-0`, `node-1`, `lb-0`. */
  readonly processes: ReadonlyMap<string, Child>;
};

const natsStartMaxMs = 15_000;

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
  const ranges = rangesOf(options.fresh ? {} : recorded, options);
  const { podCIDR } = ranges;
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
  await recordRanges(dir, ranges);
  signal?.throwIfAborted();
  const natsPort = await freeNatsPort(dir);

  const logs = join(dir, "logs");
  const natsUrl = `nats://127.0.0.1:${natsPort}`;
  const nats = child(await natsSpec(dir, id, natsPort, logs), onRestart);
  undo.defer(() => nats.stop());
  nats.start();
  await answersOn(natsPort);
  signal?.throwIfAborted();

  const kubeconfig = join(dir, "kubeconfig");
  const services = serviceSpecs(options, { id, ranges, natsUrl, logs, kubeconfig }).map((spec) =>
    child(spec, onRestart),
  );
  undo.defer(async () => {
    await Promise.all(services.map((service) => service.stop()));
  });
  for (const service of services) service.start();
  const down = undo.move();
  let ended: Promise<void> | undefined;
  return {
    id,
    natsUrl,
    kubeconfig,
    logs,
    processes: new Map([nats, ...services].map((process) => [process.name, process])),
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

/** The state of the cluster, but neither its identity nor what was fetched for the project. */
function forget(dir: string): void {
  for (const part of ["nats", "nats.conf", "pki", "kubeconfig", "nodes", "lb", "logs"]) {
    rmSync(join(dir, part), { recursive: true, force: true });
  }
}

async function natsSpec(dir: string, id: string, port: number, logs: string): Promise<ChildSpec> {
  const command = await ensureNatsServer();
  const file = join(dir, "nats.conf");
  mkdirSync(join(dir, "nats"), { recursive: true, mode: 0o700 });
  writeFileSync(
    file,
    `listen: "127.0.0.1:${port}"
server_name: "berth"
max_payload: 8MB
jetstream { store_dir: ${JSON.stringify(join(dir, "nats"))}, sync_interval: always }
`,
  );
  // It does not watch its stdin: the kernel tells it when its parent has died.
  const setpriv = which("setpriv");
  const tied = ["--pdeathsig", "TERM", command];
  const args = [...(setpriv === undefined ? [] : tied), "-c", file];
  const env = { BERTH_CLUSTER_ID: id, BERTH_PARENT_PIPE: "1" };
  return { name: "nats", command: setpriv ?? command, args, env, logPath: join(logs, "nats.log") };
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
    ...each(nodes > 0 ? 1 : 0, () =>
      spec("lb", "lb-0", { BERTH_MACHINE: hostname(), BERTH_DATA_DIR: join(dir, "lb") }),
    ),
  ];
}

/** @throws {Error} when nobody listens on the port in time */
async function answersOn(port: number): Promise<void> {
  const deadline = performance.now() + natsStartMaxMs;
  while (!(await connects(port))) {
    if (performance.now() > deadline) throw new Error(`nothing answers on 127.0.0.1:${port}`);
    await sleep(25);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
