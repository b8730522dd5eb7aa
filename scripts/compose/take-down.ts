import { globSync, rmSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { cleanMachine } from "../supervisor/clean-machine.ts";
import { root } from "../tools/paths.ts";
import { run } from "../tools/run.ts";
import { ensureCompose } from "../tools/tools.ts";

/** Where a node-agent in a container keeps what the engine mounts into pods. */
const dataDir = "/var/lib/berth";

/**
 * `docker compose down` with `args`, and away with the cluster's pods, networks, rules and files on
 * this machine. `env` names the cluster as it did for `up`.
 */
export async function takeDown(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const down = ["down", "--remove-orphans", ...args];
  await run(await ensureCompose(), down, { cwd: root, env: { ...process.env, ...env } });
  const clusterId = env["BERTH_CLUSTER_ID"] ?? "compose";
  const podCIDR = env["BERTH_POD_CIDR"] ?? "10.244.0.0/16";
  await cleanMachine(new Docker(), { clusterId, podCIDR });
  rmSync(join(dataDir, clusterId), { recursive: true, force: true });
  if (globSync(`${dataDir}/*`).length === 0) rmSync(dataDir, { recursive: true, force: true });
}
