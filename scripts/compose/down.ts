/** `docker compose down`, and away with the cluster's pods, networks and rules on this machine. */
import Docker from "dockerode";
import { cleanMachine } from "../supervisor/clean-machine.ts";
import { root } from "../tools/paths.ts";
import { run } from "../tools/run.ts";

await run("docker", ["compose", "down", "--remove-orphans", ...process.argv.slice(2)], {
  cwd: root,
});
await cleanMachine(new Docker(), {
  clusterId: process.env["BERTH_CLUSTER_ID"] ?? "compose",
  podCIDR: process.env["BERTH_POD_CIDR"] ?? "10.244.0.0/16",
});
