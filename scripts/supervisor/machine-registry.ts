import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { overlap } from "./ranges.ts";

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
  refuseClashes(mine, livingClusters());
  try {
    writeFileSync(join(folder, `${mine.id}.json`), JSON.stringify(mine), { flag: "wx" });
  } catch (cause) {
    throw new MachineTaken(`cluster ${mine.id}, in ${mine.dir}, is being started already`, {
      cause,
    });
  }
  try {
    // Of two that looked at once, at least one sees the other now.
    refuseClashes(
      mine,
      livingClusters().filter(({ id }) => id !== mine.id),
    );
  } catch (error) {
    forgetOnMachine(mine.id);
    throw error;
  }
  return { [Symbol.dispose]: () => forgetOnMachine(mine.id) };
}

function refuseClashes(mine: Registered, others: readonly Registered[]): void {
  for (const other of others) {
    const clash = clashOf(mine, other);
    if (clash === undefined) continue;
    throw new MachineTaken(
      `cluster ${other.id} (pid ${other.pid}, in ${other.dir}) runs on this machine and ${clash}`,
    );
  }
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

/** How two clusters are in each other's way, as a predicate of `other`; undefined: they are not. */
export function clashOf(mine: Registered, other: Registered): string | undefined {
  if (mine.dir === other.dir) return "has the same state folder: choose with --dir";
  if (mine.port === other.port) return "has the same gateway port: choose with --port";
  const theirs = [other.podCIDR, other.serviceCIDR];
  for (const key of ["podCIDR", "serviceCIDR"] as const) {
    const taken = theirs.find((range) => overlap(mine[key], range));
    if (taken === undefined) continue;
    const option = key === "podCIDR" ? "--pod-cidr" : "--service-cidr";
    return `has the range ${taken}, which overlaps ${mine[key]}: choose with ${option}`;
  }
  return undefined;
}
