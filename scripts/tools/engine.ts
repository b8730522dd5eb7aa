import { spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { isDebian, openApt } from "./debian.ts";
import { root } from "./paths.ts";
import { isRoot, run, which } from "./run.ts";
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

/**
 * A Docker engine and what pods' network needs: those of the machine, or installed from Debian.
 * An engine is started where none runs, and ended when this is disposed of.
 *
 * @throws {Missing} where it cannot be had, with the way to get it
 */
export async function ensureEngine(): Promise<AsyncDisposable> {
  if (await answers()) {
    await installMissing(needed.filter(([program]) => program !== "dockerd"));
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  await installMissing(needed);
  return startEngine();
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

async function startEngine(): Promise<AsyncDisposable> {
  if (!isRoot)
    throw new Missing(
      "Docker's engine does not run: start it, for instance with `sudo systemctl start docker`.",
    );
  const folder = join(root, ".berth");
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, "dockerd.log"), "a");
  const engine = spawn(which("dockerd") ?? "dockerd", [], { stdio: ["ignore", log, log] });
  const ended = new Promise<void>((resolve) => {
    engine.once("exit", () => resolve());
    engine.once("error", () => resolve());
  });
  const stop = async () => {
    engine.kill("SIGTERM");
    await ended;
    await run("ip", ["link", "delete", "docker0"]).catch(() => "it was gone already");
  };
  const begun = performance.now();
  while (!(await answers())) {
    if (engine.exitCode !== null || performance.now() - begun > startMaxMs) {
      await stop();
      throw new Missing("dockerd was started and did not answer: see .berth/dockerd.log.");
    }
    await sleep(100);
  }
  return { [Symbol.asyncDispose]: stop };
}

async function answers(): Promise<boolean> {
  return new Docker().ping().then(
    () => true,
    () => false,
  );
}
