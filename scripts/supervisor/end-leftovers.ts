import { existsSync, globSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 3_000;
const pollMs = 20;

/**
 * Ends processes of a cluster that outlived their supervisor, known by their environment. SIGTERM,
 * so that nats-server closes its files; SIGKILL for what has not ended 3 s later.
 */
export async function endLeftovers(clusterId: string): Promise<void> {
  const left = globSync("/proc/[0-9]*/environ")
    .map((path) => Number(path.split("/")[2]))
    .filter((pid) => pid !== process.pid && belongs(pid, clusterId));
  for (const pid of left) signalTo(pid, "SIGTERM");
  const begun = performance.now();
  while (left.some(lives) && performance.now() - begun < patienceMs) await sleep(pollMs);
  for (const pid of left.filter(lives)) signalTo(pid, "SIGKILL");
}

function belongs(pid: number, clusterId: string): boolean {
  const fields = read(`/proc/${pid}/environ`).split("\0");
  // A pipe to a supervisor is what makes a process one of ours: containers' have none.
  return fields.includes(`BERTH_CLUSTER_ID=${clusterId}`) && fields.includes("BERTH_PARENT_PIPE=1");
}

/** A process that has ended and was not waited for yet counts as gone. */
const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) Z /.test(read(`/proc/${pid}/stat`));

/** Empty when the process has ended meanwhile, or is none of ours to look into. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
