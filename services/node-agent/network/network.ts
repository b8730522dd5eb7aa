/** A node's pod network on this machine: a bridge of the engine, and what the kernel must do for it. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import type Docker from "dockerode";
import type { ClusterFacts } from "../../../libs/protocol/node.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { clusterLabel, nodeLabel } from "../runtime/labels.ts";
import { gatewayOf, ordinalOf } from "./addresses.ts";
import type { RunCommand } from "../../../libs/machine/run-command.ts";

export interface PodNetwork {
  /** The engine's name of the network. */
  readonly name: string;
  /** Makes the machine as it should be again: rules and routes that others removed. */
  repair(): Promise<void>;
  /** A container's port on the bridge lets it reach itself through a Service. */
  hairpin(): Promise<void>;
}

export type NetworkOptions = {
  readonly docker: Docker;
  readonly run: RunCommand;
  readonly node: string;
  readonly podCIDR: string;
  readonly cluster: ClusterFacts;
  readonly log: Log;
};

/** @throws when the engine refuses the network, or a rule cannot be set */
export async function podNetwork(options: NetworkOptions): Promise<PodNetwork> {
  const { run, node, podCIDR, cluster, log } = options;
  const name = `berth-${cluster.clusterId}-${node}`;
  const bridge = bridgeName(cluster.clusterId, ordinalOf(podCIDR, cluster.podCIDR));
  await ensureNetwork(options, name, bridge);

  async function repair(): Promise<void> {
    for (const rule of forwardRules(cluster.clusterId)) await ensureFirst(run, "DOCKER-USER", rule);
    await masquerade(options, bridge);
    await run(["ip", "route", "replace", "unreachable", cluster.podCIDR]);
    await run(["ip", "route", "replace", cluster.serviceCIDR, "dev", bridge]);
    await writeFile(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
  }

  /** Ports that have it: to set it takes a lock of the kernel that starting containers need too. */
  let set: readonly string[] = [];

  async function hairpin(): Promise<void> {
    const ports = await readdir(`/sys/class/net/${bridge}/brif`);
    const kept = set.filter((port) => ports.includes(port));
    const fresh = ports.filter((port) => !kept.includes(port));
    const done = fresh.map((port) =>
      writeFile(`/sys/class/net/${port}/brport/hairpin_mode`, "1").then(
        () => [port],
        (error: unknown) => {
          log.debug({ err: error, port }, "a port left the bridge before its hairpin was set");
          return [];
        },
      ),
    );
    set = [...kept, ...(await Promise.all(done)).flat()];
  }

  await repair();
  const bridged = await readFile("/proc/sys/net/bridge/bridge-nf-call-iptables", "utf8").catch(
    () => "0",
  );
  if (bridged.trim() !== "1")
    log.warn("bridged packets pass no rules: Services fail between pods of this node");
  return { name, repair, hairpin };
}

/** At most 15 characters, as the kernel wants; one prefix for all bridges of a cluster. */
export const bridgeName = (clusterId: string, ordinal: number): string =>
  `bt${clusterId}${ordinal}`;

/**
 * Docker drops what goes between its bridges and what reaches them from outside, and no accept in
 * another table helps: its own chain for users comes first.
 */
export function forwardRules(clusterId: string): readonly (readonly string[])[] {
  const ours = `bt${clusterId}+`;
  const comment = ["-m", "comment", "--comment", `berth-${clusterId}`, "-j", "ACCEPT"];
  return [
    ["-i", ours, "-o", ours, ...comment],
    ["-o", ours, "-m", "conntrack", "--ctstate", "DNAT", ...comment],
  ];
}

/** Waits for xtables' lock: several agents and the engine share it. */
const iptables = ["iptables", "-w", "5"];

async function ensureFirst(run: RunCommand, chain: string, rule: readonly string[]): Promise<void> {
  try {
    await run([...iptables, "-C", chain, ...rule]);
  } catch {
    await run([...iptables, "-I", chain, "1", ...rule]); // -C fails when it is not there.
  }
}

/** What leaves the cluster does so under the machine's address; pods see one another's own. */
async function masquerade(
  { run, node, podCIDR, cluster }: NetworkOptions,
  bridge: string,
): Promise<void> {
  const table = `ip berth_${cluster.clusterId}_${node.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
  const script = [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    `add chain ${table} postrouting { type nat hook postrouting priority 100 ; policy accept ; }`,
    `add rule ${table} postrouting ip saddr ${podCIDR} ip daddr != ${cluster.podCIDR} oifname != "${bridge}" masquerade`,
  ].join("\n");
  try {
    await run(["nft", "-f", "-"], script);
  } catch {
    const rule = ["-s", podCIDR, "!", "-d", cluster.podCIDR, "!", "-o", bridge, "-m", "comment"];
    const whole = [...rule, "--comment", `berth-${cluster.clusterId}`, "-j", "MASQUERADE"];
    try {
      await run([...iptables, "-t", "nat", "-C", "POSTROUTING", ...whole]);
    } catch {
      await run([...iptables, "-t", "nat", "-A", "POSTROUTING", ...whole]); // Machines without nft.
    }
  }
}

async function ensureNetwork(
  { docker, node, podCIDR, cluster }: NetworkOptions,
  name: string,
  bridge: string,
): Promise<void> {
  const [existing] = (await docker.listNetworks({ filters: { name: [name] } })).filter(
    (one) => one.Name === name,
  );
  const subnet = existing?.IPAM?.Config?.[0]?.Subnet;
  if (existing !== undefined && subnet === podCIDR) return;
  if (existing !== undefined) await docker.getNetwork(existing.Id).remove();
  await docker.createNetwork({
    Name: name,
    Driver: "bridge",
    CheckDuplicate: true,
    Labels: { [clusterLabel]: cluster.clusterId, [nodeLabel]: node },
    IPAM: { Driver: "default", Config: [{ Subnet: podCIDR, Gateway: gatewayOf(podCIDR) }] },
    Options: {
      "com.docker.network.bridge.name": bridge,
      "com.docker.network.bridge.enable_ip_masquerade": "false",
    },
  });
}
