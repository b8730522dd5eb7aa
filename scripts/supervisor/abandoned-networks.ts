/** Pod networks of clusters that no supervisor of this machine has: in the way of a new one's range. */
import type Docker from "dockerode";
import { cleanMachine } from "./clean-machine.ts";
import { MachineTaken } from "./machine-registry.ts";
import { overlap } from "./ranges.ts";

const clusterLabel = "berth.dev/cluster";
/** On the containers of a cluster's services, where those are containers: docker-compose.yml. */
const servicesLabel = "berth.dev/services-of";

/**
 * Takes away what is left of clusters whose networks lie in `podCIDR`, when nothing of them runs.
 * Those that a supervisor has are told apart before: their range is refused.
 *
 * @throws {MachineTaken} when something of such a cluster runs, or the engine does not let go of its
 * network; it is named
 */
export async function clearAbandonedNetworks(
  docker: Docker,
  { id: own, podCIDR }: { readonly id: string; readonly podCIDR: string },
): Promise<void> {
  for (const id of await clustersIn(docker, podCIDR)) {
    if (id === own) continue;
    if (await runs(docker, id)) {
      throw new MachineTaken(
        `cluster ${id} runs on this machine and has addresses of ${podCIDR}: choose with --pod-cidr`,
      );
    }
    if (await cleanMachine(docker, { clusterId: id, podCIDR })) continue;
    throw new MachineTaken(
      `the Docker engine keeps a network of cluster ${id}, of which nothing runs, with addresses of ` +
        `${podCIDR}: start the engine anew, or choose with --pod-cidr`,
    );
  }
}

async function clustersIn(docker: Docker, podCIDR: string): Promise<ReadonlySet<string>> {
  const networks = await docker.listNetworks({ filters: { label: [clusterLabel] } });
  const inTheWay = networks.filter(({ IPAM }) =>
    (IPAM?.Config ?? []).some(({ Subnet = "" }) => isIPv4Range(Subnet) && overlap(Subnet, podCIDR)),
  );
  return new Set(inTheWay.flatMap(({ Labels }) => Labels?.[clusterLabel] ?? []));
}

async function runs(docker: Docker, id: string): Promise<boolean> {
  const labels = [`${clusterLabel}=${id}`, `${servicesLabel}=${id}`];
  const running = await Promise.all(
    labels.map((label) => docker.listContainers({ filters: { label: [label] } })),
  );
  return running.flat().length > 0;
}

const isIPv4Range = (text: string): boolean => /^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text);
