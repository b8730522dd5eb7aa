/** What a container uses, from its cgroup's files, of either version. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export type CgroupUsage = { readonly cpuNanoseconds: number; readonly memoryBytes: number };

/** Where a container's counters are. */
export type CgroupFiles =
  | { readonly version: 1; readonly cpu: string; readonly memory: string }
  | { readonly version: 2; readonly folder: string };

export type CgroupRoots = {
  /** `/proc`, of the machine. */
  readonly proc: string;
  /** `/sys/fs/cgroup`, of the machine. */
  readonly cgroup: string;
};

/**
 * Where the counters of container `id` are, by its first process.
 *
 * @returns undefined when that process is another's by now, or what is seen from here is not all
 */
export async function locateCgroup(
  { id, pid }: { readonly id: string; readonly pid: number },
  { proc, cgroup }: CgroupRoots,
): Promise<CgroupFiles | undefined> {
  const text = await readFile(join(proc, String(pid), "cgroup"), "utf8");
  const paths = cgroupPaths(text);
  const [cpu, memory, unified] = ["cpuacct", "memory", ""].map((one) => paths.get(one));
  const isOurs = (path: string | undefined): path is string => path?.includes(id) ?? false;
  if (isOurs(cpu) && isOurs(memory)) {
    const folder = (controller: string, path: string) =>
      join(cgroup, paths.get(`${controller}:as`) ?? controller, path);
    return { version: 1, cpu: folder("cpuacct", cpu), memory: folder("memory", memory) };
  }
  return isOurs(unified) ? { version: 2, folder: join(cgroup, unified) } : undefined;
}

/**
 * The paths in a `/proc/<pid>/cgroup` by controller; version 2's under the empty name. Where several
 * controllers are mounted as one, `<controller>:as` is that mount's name.
 */
export function cgroupPaths(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) {
      paths.set(controller, path);
      if (controllers.includes(",")) paths.set(`${controller}:as`, controllers);
    }
  }
  return paths;
}

/** @throws when a file is gone, or holds no number: the container has ended, say */
export async function readCgroup(files: CgroupFiles): Promise<CgroupUsage> {
  const read = (folder: string, name: string) => readFile(join(folder, name), "utf8");
  if (files.version === 1) {
    const [cpu, used, stat] = await Promise.all([
      read(files.cpu, "cpuacct.usage"),
      read(files.memory, "memory.usage_in_bytes"),
      read(files.memory, "memory.stat"),
    ]);
    return { cpuNanoseconds: whole(cpu), memoryBytes: working(used, stat, "total_inactive_file") };
  }
  const [cpu, used, stat] = await Promise.all([
    read(files.folder, "cpu.stat"),
    read(files.folder, "memory.current"),
    read(files.folder, "memory.stat"),
  ]);
  return {
    cpuNanoseconds: field(cpu, "usage_usec") * 1_000,
    memoryBytes: working(used, stat, "inactive_file"),
  };
}

/** What is in use but for files that can be dropped at once, as Kubernetes' working set. */
const working = (used: string, stat: string, inactive: string): number =>
  Math.max(whole(used) - field(stat, inactive), 0);

function whole(text: string): number {
  const number = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(number))
    throw new TypeError("no number in a cgroup's file");
  return number;
}

function field(text: string, name: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return whole(line?.slice(name.length) ?? "");
}
