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
  return { [Symbol.dispose]: () => forgetOnMachine(mine.id) };
}

/** Clusters whose supervisor was killed, so that nobody has cleaned up after them. */
export const deadClusters = (): readonly Registered[] => allClusters().filter((one) => !lives(one));

/** Notes that nothing is left of a cluster. */
export function forgetOnMachine(id: string): void {
  rmSync(join(folder, `${id}.json`), { force: true });
}

const livingClusters = (): readonly Registered[] => allClusters().filter(lives);

function allClusters(): readonly Registered[] {
  return globSync(join(folder, "*.json")).flatMap((file) => {
    const found = registered.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return found.success ? [found.data] : [];
  });
}

/** One that was killed and not waited for by its parent is dead, though its entry is there. */
function lives({ pid }: Registered): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
}

function clashOf(mine: Registered, other: Registered): string | undefined {
  if (mine.dir === other.dir) return "state folder (--dir)";
  if (mine.port === other.port) return "gateway port (--port)";
  if (mine.podCIDR === other.podCIDR) return "pod range (--pod-cidr)";
  if (mine.serviceCIDR === other.serviceCIDR) return "service range (--service-cidr)";
  return undefined;
}
