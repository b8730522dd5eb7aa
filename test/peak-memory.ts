/** How much memory processes have used at most, since a moment; as Linux counts it. */
import { readFileSync, writeFileSync } from "node:fs";
import type { TestCluster } from "./cluster.ts";

export type PeakMemory = {
  /** MiB that each process's resident set has grown by at most, by its name. */
  grown(): ReadonlyMap<string, number>;
  /** MiB that it is larger by now. */
  kept(): ReadonlyMap<string, number>;
};

/** Of a cluster's processes, from now on. */
export function watchMemory({ processes }: Pick<TestCluster, "processes">): PeakMemory {
  const begun = [...processes].map(([name, child]) => {
    const pid = child.pid() ?? process.pid;
    writeFileSync(`/proc/${pid}/clear_refs`, "5"); // The peak is counted anew.
    return { name, pid, rss: mib(pid, "VmRSS") };
  });
  const since = (field: "VmRSS" | "VmHWM") =>
    new Map(begun.map(({ name, pid, rss }) => [name, mib(pid, field) - rss]));
  return { grown: () => since("VmHWM"), kept: () => since("VmRSS") };
}

const mib = (pid: number, field: "VmRSS" | "VmHWM") =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(statusOf(pid))?.[1]) / 1_024;
const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, "utf8");
