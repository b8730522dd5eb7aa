/** What runs in a pod, as its machine sees it. */
import Docker from "dockerode";
import type { TestCluster } from "./cluster.ts";

export type PodProcess = { readonly name: string; readonly args: string };

export async function containerOf({ id }: Pick<TestCluster, "id">, pod: string) {
  const filters = { label: [`berth.dev/cluster=${id}`, `berth.dev/pod=${pod}`] };
  const [found] = await new Docker().listContainers({ filters });
  if (found === undefined) throw new Error(`pod ${pod} has no container`);
  return new Docker().getContainer(found.Id);
}

/** Not what has ended and waits for its parent to see it. */
export async function podProcesses(
  cluster: Pick<TestCluster, "id">,
  pod: string,
): Promise<readonly PodProcess[]> {
  const container = await containerOf(cluster, pod);
  const { Processes } = await container.top({ ps_args: "-eo pid,stat,comm,args" });
  return (Processes as string[][])
    .filter(([, stat = ""]) => !stat.startsWith("Z"))
    .map(([, , name = "", args = ""]) => ({ name, args }));
}
