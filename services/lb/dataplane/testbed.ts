/**
 * A machine for tests: a network namespace with a bridge, three pods on it and one neighbour outside,
 * each a namespace too, so that real traffic flows and none of it leaves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import type { Plan } from "../routes/plan.ts";
import type { Dataplane } from "./dataplane.ts";
import { runCommand } from "../../../libs/machine/run-command.ts";
import type { Command, Place } from "./testbed-process.ts";

export const serviceCIDR = "10.198.0.0/24";
export const podCIDR = "10.199.0.0/24";
export const hostAddress = "198.19.0.1";
export const podAddresses = { p1: "10.199.0.2", p2: "10.199.0.3", p3: "10.199.0.4" } as const;
export const clusterId = "testbed";

export type Where = "host" | "out" | "p1" | "p2" | "p3";
export interface Testbed extends AsyncDisposable {
  apply(plan: Plan): Promise<void>;
  repair(): Promise<boolean>;
  /** Serves on every pod's `port`, by the pod's name. */
  servePods(protocol: Place["protocol"], port: number): Promise<void>;
  ask(from: Where, address: string, port: number, protocol?: Place["protocol"]): Promise<string>;
  tell(where: Where, command: Command): Promise<unknown>;
}

/** Whether this machine lets tests make network namespaces and packet rules. */
export async function canMakeTestbed(): Promise<boolean> {
  try {
    await runCommand(["nft", "list", "tables"]);
    await runCommand(["ip", "netns", "list"]);
    return process.getuid?.() === 0;
  } catch {
    return false; // A machine without them, or a user who may not.
  }
}

export async function openTestbed(name: Dataplane["name"]): Promise<Testbed> {
  const prefix = `bt${systemRandom.uuid().slice(0, 6)}`;
  const everywhere: readonly Where[] = ["host", "out", "p1", "p2", "p3"];
  const stack = new AsyncDisposableStack();
  try {
    for (const where of everywhere) {
      await runCommand(["ip", "netns", "add", `${prefix}-${where}`]);
      stack.defer(
        async () => void (await runCommand(["ip", "netns", "del", `${prefix}-${where}`])),
      );
    }
    await runCommand(["sh", "-e"], wiring(prefix));
    const processes = new Map(
      everywhere.map((where) => [where, stack.use(startProcess(`${prefix}-${where}`))] as const),
    );
    const tell = async (where: Where, command: Command) => processes.get(where)?.tell(command);
    await tell("host", { op: "dataplane", name, clusterId });
    return {
      tell,
      apply: async (plan) => void (await tell("host", { op: "apply", plan })),
      repair: async () => (await tell("host", { op: "repair" })) === true,
      async servePods(protocol, port) {
        for (const [pod, address] of Object.entries(podAddresses)) {
          await tell(pod as Where, { op: "serve", name: pod, protocol, address, port });
        }
      },
      ask: async (from, address, port, protocol = "TCP") =>
        String(await tell(from, { op: "ask", protocol, address, port })),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What the node's agent would set up: a bridge with hairpin, routes, and forwarding. */
function wiring(prefix: string): string {
  const ns = (where: Where) => `${prefix}-${where}`;
  const inHost = `nsenter --net=/run/netns/${ns("host")}`;
  const pods = Object.entries(podAddresses) as [Where, string][];
  return [
    ...(["host", "out", "p1", "p2", "p3"] as const).map((at) => `ip -n ${ns(at)} link set lo up`),
    `ip -n ${ns("host")} link add br0 type bridge`,
    `ip -n ${ns("host")} addr add 10.199.0.1/24 dev br0`,
    `ip -n ${ns("host")} link set br0 up`,
    ...pods.flatMap(([pod, address]) => [
      `ip -n ${ns("host")} link add ${pod} type veth peer name eth0 netns ${ns(pod)}`,
      `ip -n ${ns("host")} link set ${pod} master br0 up`,
      `ip -n ${ns("host")} link set ${pod} type bridge_slave hairpin on`,
      `ip -n ${ns(pod)} addr add ${address}/24 dev eth0`,
      `ip -n ${ns(pod)} link set eth0 up`,
      `ip -n ${ns(pod)} route add default via 10.199.0.1`,
    ]),
    `ip -n ${ns("host")} link add uplink type veth peer name eth0 netns ${ns("out")}`,
    `ip -n ${ns("host")} addr add ${hostAddress}/24 dev uplink`,
    `ip -n ${ns("host")} link set uplink up`,
    `ip -n ${ns("out")} addr add 198.19.0.2/24 dev eth0`,
    `ip -n ${ns("out")} link set eth0 up`,
    `ip -n ${ns("out")} route add default via ${hostAddress}`,
    `ip -n ${ns("host")} route add ${serviceCIDR} dev br0`,
    `${inHost} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.br0.route_localnet=1`,
    `${inHost} sysctl -qw net.bridge.bridge-nf-call-iptables=1`,
  ].join("\n");
}

function startProcess(namespace: string) {
  const script = new URL("testbed-process.ts", import.meta.url).pathname;
  const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, process.execPath, script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const ended = waitFor(child, waiting);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, result, error } = JSON.parse(line) as {
      id: number;
      result?: unknown;
      error?: string;
    }; // From `testbed-process.ts`.
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  let ids = 0;
  return {
    tell(command: Command): Promise<unknown> {
      ids += 1;
      const reply = Promise.withResolvers<unknown>();
      waiting.set(ids, reply);
      child.stdin.write(`${JSON.stringify({ id: ids, command })}\n`);
      return reply.promise;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function waitFor(child: ChildProcess, waiting: Map<number, PromiseWithResolvers<unknown>>) {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the testbed's process ended"));
    resolve();
  });
  return promise;
}
