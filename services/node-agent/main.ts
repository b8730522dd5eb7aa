import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import Docker from "dockerode";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { runAgent } from "./agent.ts";
import { podNetwork } from "./network/network.ts";
import { runCommand } from "../../libs/machine/run-command.ts";
import {
  hollowCapacity,
  hollowFrom,
  type HollowNode,
  hollowNodes,
  labelsIn,
} from "./hollow/options.ts";
import { runHollowNodes } from "./hollow/run.ts";
import { readFacts } from "./node/facts.ts";
import { dockerRuntime } from "./runtime/docker.ts";
import { readMachineUsage } from "./usage/machine.ts";

const config = z
  .object({
    BERTH_NATS_URL: z.string().default("nats://127.0.0.1:4222"),
    BERTH_CLUSTER_ID: z
      .string()
      .regex(/^[a-z0-9]{1,8}$/)
      .default("berth"),
    BERTH_NODE_NAME: z.string().min(1).default(hostname()),
    /** `name=value`, comma-separated. */
    BERTH_NODE_LABELS: z.string().default(""),
    BERTH_NODE_SHARE: z.coerce.number().gt(0).max(1).default(1),
    BERTH_DATA_DIR: z.string().default(join(process.cwd(), ".berth", "node-agent")),
    BERTH_RUNTIME: z.enum(["docker", "hollow"]).default("docker"),
    /** The machine's cgroups, where the agent is in a container. */
    BERTH_CGROUP_DIR: z.string().default("/sys/fs/cgroup"),
    BERTH_DRAIN: z.enum(["on", "off"]).default("on"),
    /** Touched whenever the service has done its work anew. */
    BERTH_HEALTH_FILE: z.string().optional(),
    BERTH_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  })
  .parse(process.env);

using stop = stopSignal();
const { signal } = stop;
const log = createLog("node-agent", config.BERTH_LOG_LEVEL);
const ports = { clock: systemClock, random: systemRandom, log };
const labels = labelsIn(config.BERTH_NODE_LABELS);
const drains = config.BERTH_DRAIN === "on";

await (config.BERTH_RUNTIME === "hollow" ? runHollow() : runDocker(config.BERTH_NODE_NAME));
log.info("node-agent stops; its containers stay");
process.exit(0); // An attempt to connect to a NATS that is away would keep the process alive.

async function runDocker(node: string): Promise<void> {
  const docker = new Docker(); // Reads DOCKER_HOST.
  const cluster = config.BERTH_CLUSTER_ID;
  const cgroupDir = config.BERTH_CGROUP_DIR;
  await using runtime = await dockerRuntime({ docker, cluster, node, cgroupDir, ...ports });
  await run(node, runtime, (podCIDR, facts) =>
    podNetwork({ docker, run: runCommand, node, podCIDR, cluster: facts, log }),
  );
}

/** One node of the name given, or many: their names begin with it. */
async function runHollow(): Promise<void> {
  const options = hollowFrom(process.env);
  const capacity = hollowCapacity(options);
  const name = config.BERTH_NODE_NAME;
  const nodes = options.hollow === 0 ? [{ name, labels: {} }] : hollowNodes(name, options);
  const openNetwork = async () => ({
    name: "hollow",
    repair: async () => undefined,
    hairpin: async () => undefined,
  });
  await runHollowNodes(
    nodes,
    options,
    (node, runtime, on) => run(node.name, runtime, openNetwork, { ...node, capacity, signal: on }),
    { offFile: join(config.BERTH_DATA_DIR, "off"), signal, ...ports },
  );
}

type Hollow = HollowNode & {
  readonly capacity: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

async function run(
  node: string,
  runtime: Parameters<typeof runAgent>[0]["runtime"],
  openNetwork: Parameters<typeof runAgent>[0]["openNetwork"],
  hollow?: Hollow,
): Promise<void> {
  const dataDir = resolve(config.BERTH_DATA_DIR, node);
  await mkdir(dataDir, { recursive: true });
  const share = config.BERTH_NODE_SHARE;
  const facts = await readFacts({
    node,
    labels: { ...labels, ...hollow?.labels },
    share,
    capacity: hollow?.capacity ?? {},
    dataDir,
    engine: await runtime.engine(),
  });
  log.info({ node, engine: facts.engineId, runtime: config.BERTH_RUNTIME }, "node-agent starts");
  await runAgent({
    node,
    connect: () => natsBus({ url: config.BERTH_NATS_URL, name: `node-agent-${node}`, ...ports }),
    runtime,
    openNetwork,
    facts,
    dataDir,
    drains,
    ...(share === 1 && hollow === undefined && { machineUsage: readMachineUsage }),
    onAccepted: healthMark(config.BERTH_HEALTH_FILE, log),
    ...ports,
    signal: hollow?.signal ?? signal,
  });
}
