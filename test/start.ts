/** `npm start` as a user's process, for tests of what a stop leaves. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { expect } from "vitest";
import { clearAbandonedNetworks } from "../scripts/supervisor/abandoned-networks.ts";
import { freePort } from "../scripts/supervisor/identity.ts";
import { registerOnMachine } from "../scripts/supervisor/machine-registry.ts";
import { root } from "../scripts/tools/paths.ts";
import { run } from "../scripts/tools/run.ts";
import { eventually, inFreeRanges, type Kubectl, kubectlOf } from "./cluster.ts";

/** A folder for a cluster's state, with a port and ranges that nobody uses. */
export type Place = Disposable & {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly kubectl: () => Promise<Kubectl>;
  /** Of the cluster that was started here. */
  readonly id: () => string;
};

export async function place(): Promise<Place> {
  const dir = mkdtempSync(join(tmpdir(), "berth-start-"));
  const port = await freePort();
  const ranges = await inFreeRanges(async (found) => {
    const id = `probe${port}`;
    using _probe = registerOnMachine({ id, pid: process.pid, dir, port, ...found });
    // Docker 20.10 keeps the network of a cluster that is gone now and then: such a range is not free.
    await clearAbandonedNetworks(new Docker(), { id, podCIDR: found.podCIDR });
    return found;
  });
  return {
    dir,
    env: {
      BERTH_DIR: dir,
      BERTH_PORT: String(port),
      BERTH_POD_CIDR: ranges.podCIDR,
      BERTH_SERVICE_CIDR: ranges.serviceCIDR,
    },
    kubectl: () => kubectlOf(join(dir, "kubeconfig"), dir),
    id: () => (JSON.parse(readFileSync(join(dir, "cluster.json"), "utf8")) as { id: string }).id,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export type Started = {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  said(): string;
  /** Waits until it has printed that, and gives the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, when it has ended; the signal that ended it, where there is none. */
  readonly ended: Promise<number | string | null>;
};

/** Starts it, by default as `npm start` does; `[Symbol.asyncDispose]` never leaves it running. */
export function started(
  where: Place,
  args: readonly string[] = [],
  { command = ["sh", "scripts/start.sh"], env = {} }: StartOptions = {},
): Started & AsyncDisposable {
  const [program = "sh", ...first] = command;
  const child = spawn(program, [...first, ...args], {
    cwd: root,
    env: { ...process.env, ...where.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  }
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  return {
    process: child,
    said: () => text,
    says: (pattern) =>
      eventually(
        `it says ${pattern.source}`,
        async () => {
          const found = pattern.exec(text);
          if (found === null) throw new Error(`it said:\n${text}`);
          return found;
        },
        150_000,
      ),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}

type StartOptions = {
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** Pids of what runs for the cluster in `where`. */
export function processesOf(where: Place): readonly number[] {
  if (!existsSync(join(where.dir, "cluster.json"))) return [];
  const mark = `BERTH_CLUSTER_ID=${where.id()}`;
  return globSync("/proc/[0-9]*/environ")
    .map((path) => Number(path.split("/")[2]))
    .filter((pid) => environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // It has ended meanwhile.
  }
}

/** Fails when a process, container, network, rule, route or note of the cluster is left. */
export async function expectNothingLeft(where: Place): Promise<void> {
  expect(processesOf(where)).toEqual([]);
  if (!existsSync(join(where.dir, "cluster.json"))) return; // Stopped before it had a name.
  const id = where.id();
  expect(existsSync(`/run/berth/${id}.json`)).toBe(false);
  const docker = new Docker();
  const filters = { label: [`berth.dev/cluster=${id}`] };
  expect(await docker.listContainers({ all: true, filters })).toEqual([]);
  expect(await docker.listNetworks({ filters })).toEqual([]);
  expect(await run("nft", ["list", "tables"])).not.toContain(`berth_${id}`);
  expect(await run("ip", ["-o", "address"])).not.toContain(`lo:${id}`);
  expect(await run("ip", ["route", "show", "table", "all"])).not.toContain(
    where.env["BERTH_POD_CIDR"],
  );
  expect(await run("iptables", ["-w", "-S"])).not.toContain(`berth-${id}`);
}
