import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { isDebian, openApt } from "./debian.ts";
import { holdMachine } from "./machine-hold.ts";
import { root } from "./paths.ts";
import { isRoot, which } from "./run.ts";
import { Missing } from "./tools.ts";

/** Programs that the engine and the network need, and Debian's packages that hold them. */
const needed = [
  ["dockerd", "docker.io"],
  ["iptables", "iptables"],
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["conntrack", "conntrack"],
] as const;

const startMaxMs = 30_000;
/** Of an engine that was started here. */
export const engineLog = join(root, ".berth/dockerd.log");

/**
 * A Docker engine and what pods' network needs: those of the machine, or installed from Debian.
 * An engine is started where none runs. When this is disposed of, by the last process that holds
 * it, that engine is ended and the machine's settings are what they were.
 *
 * @throws {Missing} where it cannot be had, with the way to get it
 */
export async function ensureEngine(): Promise<AsyncDisposable> {
  const runs = await answers();
  await installMissing(runs ? needed.filter(([program]) => program !== "dockerd") : needed);
  return holdMachine(async () => ((await answers()) ? undefined : startEngine()));
}

async function installMissing(programs: readonly (readonly [string, string])[]): Promise<void> {
  const missing = programs.filter(([program]) => which(program) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  if (!isDebian || !isRoot) {
    throw new Missing(
      `Docker's engine does not answer, or its companions are missing: install ${packages.join(", ")} and start dockerd.`,
    );
  }
  await using apt = await openApt("own");
  await apt.install(packages);
}

/** Gives its pid. It is a session of its own, so that a terminal's Ctrl-C passes it by. */
async function startEngine(): Promise<number> {
  if (!isRoot)
    throw new Missing(
      "Docker's engine does not run: start it, for instance with `sudo systemctl start docker`.",
    );
  mkdirSync(dirname(engineLog), { recursive: true });
  const log = openSync(engineLog, "a");
  const engine = spawn(which("dockerd") ?? "dockerd", [], {
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  let failure: Error | undefined;
  engine.once("error", (error) => (failure = error));
  engine.unref();
  const begun = performance.now();
  while (!(await answers())) {
    const late = performance.now() - begun > startMaxMs;
    if (failure !== undefined || engine.exitCode !== null || late) {
      engine.kill("SIGTERM");
      throw new Missing("dockerd was started and did not answer: see .berth/dockerd.log.", {
        cause: failure,
      });
    }
    await sleep(100);
  }
  if (engine.pid === undefined) throw new Missing("dockerd has no process of its own");
  return engine.pid;
}

async function answers(): Promise<boolean> {
  return new Docker().ping().then(
    () => true,
    () => false,
  );
}
