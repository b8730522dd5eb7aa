/** CPU and memory of processes, from /proc. @see https://docs.kernel.org/filesystems/proc.html */
import { readFileSync } from "node:fs";

/** Of `sysconf(_SC_CLK_TCK)`, which is 100 wherever Linux runs Node. */
const ticksPerSecond = 100;

/** Seconds of CPU that the process has used, in user and kernel mode. */
export function cpuSeconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(")")).split(" ");
  return (Number(user) + Number(system)) / ticksPerSecond;
}

export function residentMiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}
