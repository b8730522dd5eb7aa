/**
 * Takes away everything on the machine that carries a cluster's id: what a stop leaves to its
 * supervisor, and what a `kill -9` of everything left.
 */
import type Docker from "dockerode";
import { removeNetwork } from "../tools/remove-network.ts";
import { run, which } from "../tools/run.ts";

/** Removals at work at once; more slow the engine down. */
const atOnce = 8;

/**
 * @returns whether all of it is gone: without its engine containers stay, to come back with it, and a
 * network of which the engine has forgotten an endpoint stays until that is started anew
 */
export async function cleanMachine(
  docker: Docker,
  { clusterId, podCIDR }: { readonly clusterId: string; readonly podCIDR: string },
): Promise<boolean> {
  const engineAnswers = await answers(docker);
  const gone = engineAnswers && (await removeContainers(docker, clusterId));
  await removeTables(clusterId);
  await removeAddresses(clusterId);
  await removeDockerUserRules(clusterId);
  await removeRoute(podCIDR);
  return gone;
}

/** A cluster without nodes needs no engine. */
const answers = (docker: Docker): Promise<boolean> =>
  docker.ping().then(
    () => true,
    () => false,
  );

async function removeContainers(docker: Docker, clusterId: string): Promise<boolean> {
  const ours = { all: true, filters: { label: [`berth.dev/cluster=${clusterId}`] } };
  const containers = await docker.listContainers(ours);
  await eachOf(containers, ({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }));
  const networks = await docker.listNetworks({ filters: ours.filters });
  const removed = await eachOf(networks, ({ Id }) => removeNetwork(docker.getNetwork(Id)));
  return removed.every(Boolean);
}

async function removeTables(clusterId: string): Promise<void> {
  if (which("nft") === undefined) return;
  const tables = await run("nft", ["list", "tables"]);
  for (const [, family = "", name = ""] of tables.matchAll(/^table (\S+) (\S+)$/gm)) {
    if (name === `berth_${clusterId}` || name.startsWith(`berth_${clusterId}_`)) {
      await run("nft", ["delete", "table", family, name]);
    }
  }
}

async function removeAddresses(clusterId: string): Promise<void> {
  if (which("ip") === undefined) return;
  const shown = await run("ip", ["-o", "-4", "address", "show", "dev", "lo"]);
  for (const line of shown.split("\n").filter((text) => text.includes(`lo:${clusterId}`))) {
    const address = /inet (\S+)/.exec(line)?.[1];
    if (address !== undefined) await run("ip", ["address", "delete", address, "dev", "lo"]);
  }
}

async function removeDockerUserRules(clusterId: string): Promise<void> {
  if (which("iptables") === undefined) return;
  const rules = await run("iptables", ["-w", "-S", "DOCKER-USER"]).catch(() => "");
  for (const rule of rules.split("\n").filter((text) => text.includes(`berth-${clusterId}`))) {
    const words = rule.replace(/^-A /, "").match(/"[^"]*"|\S+/g) ?? [];
    await run("iptables", ["-w", "-D", ...words.map((word) => word.replaceAll('"', ""))]);
  }
}

/** The route that keeps traffic to dead pods on the machine; those through bridges went with them. */
async function removeRoute(podCIDR: string): Promise<void> {
  if (which("ip") === undefined) return;
  const shown = await run("ip", ["-4", "route", "show", "type", "unreachable"]);
  if (shown.includes(podCIDR)) await run("ip", ["route", "delete", "unreachable", podCIDR]);
}

async function eachOf<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += atOnce) {
    results.push(...(await Promise.all(items.slice(first, first + atOnce).map(act))));
  }
  return results;
}
