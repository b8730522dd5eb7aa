import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

/** Clusters that run on this machine, a file each. */
const folder = "/run/berth";

const registered = z.object({
  id: z.string(),
  pid: z.int(),
  dir: z.string(),
  port: z.int(),
  podCIDR: z.string(),
  serviceCIDR: z.string(),
});
export type Registered = z.output<typeof registered>;

export class MachineTaken extends Error {
  override readonly name = "MachineTaken";
}

/**
 * Notes that a cluster runs here, until disposed.
 *
 * @throws {MachineTaken} when another one uses its port, its ranges or its folder; it is named
 */
export function registerOnMachine(mine: Registered): Disposable {
  mkdirSync(folder, { recursive: true });
  for (const other of livingClusters()) {
    const clash = clashOf(mine, other);
    if (clash !== undefined) {
      throw new MachineTaken(
        `cluster ${other.id} (pid ${other.pid}, in ${other.dir}) runs on this machine and has the same ${clash}`,
      );
    }
  }
  const file = join(folder, `${mine.id}.json`);
  writeFileSync(file, JSON.stringify(mine));
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

function livingClusters(): readonly Registered[] {
  return globSync(join(folder, "*.json")).flatMap((file) => {
    const found = registered.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (found.success && existsSync(`/proc/${found.data.pid}`)) return [found.data];
    rmSync(file, { force: true });
    return [];
  });
}

function clashOf(mine: Registered, other: Registered): string | undefined {
  if (mine.dir === other.dir) return "state folder (--dir)";
  if (mine.port === other.port) return "gateway port (--port)";
  if (mine.podCIDR === other.podCIDR) return "pod range (--pod-cidr)";
  if (mine.serviceCIDR === other.serviceCIDR) return "service range (--service-cidr)";
  return undefined;
}
