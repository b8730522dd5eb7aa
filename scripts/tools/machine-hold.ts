/**
 * What several clusters on one machine share: the kernel's settings, and an engine that one of them
 * started. The first one to come notes how the machine was; the last one to leave puts it back, and
 * so does the next start after a `kill -9` of everything.
 */
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { firewall, firewallNow, restoreFirewall } from "./firewall.ts";
import { isRoot, run } from "./run.ts";

const folder = "/run/berth/machine";
const recordFile = join(folder, "before.json");
const lockMaxMs = 60_000;
const engineEndMaxMs = 20_000;

const record = z.object({
  sysctls: z.record(z.string(), z.string()),
  /** An engine that a cluster started: its process, and the rules that were there before it. */
  engine: z.object({ pid: z.int(), started: z.string(), firewall }).optional(),
});
type Before = z.output<typeof record>;

const noHold: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

/**
 * Keeps the machine as it was in mind, until disposed. `startEngine` is called, one process at a
 * time, and gives the pid of an engine that it had to start.
 */
export async function holdMachine(
  startEngine: () => Promise<number | undefined>,
): Promise<AsyncDisposable> {
  if (!isRoot) {
    await startEngine();
    return noHold; // Without root nothing of the machine was changed.
  }
  const mine = join(folder, `holder-${process.pid}`);
  {
    await using _lock = await lock();
    mkdirSync(folder, { recursive: true });
    const before = readRecord() ?? { sysctls: sysctlsNow() };
    write({ ...before });
    const rules = await firewallNow();
    const pid = await startEngine();
    if (pid !== undefined) {
      write({ ...before, engine: { pid, started: startTime(pid) ?? "", firewall: rules } });
    }
    writeFileSync(mine, startTime(process.pid) ?? "");
  }
  return {
    async [Symbol.asyncDispose]() {
      await using _lock = await lock();
      rmSync(mine, { force: true });
      if (holders() > 0) return;
      await putBack();
    },
  };
}

/** Processes that hold the machine; what dead ones left is removed. */
function holders(): number {
  return globSync(join(folder, "holder-*")).filter((file) => {
    const pid = Number(basename(file).slice("holder-".length));
    if (startTime(pid) === readFileSync(file, "utf8")) return true;
    rmSync(file, { force: true });
    return false;
  }).length;
}

async function putBack(): Promise<void> {
  const before = readRecord();
  if (before === undefined) return;
  const { engine, sysctls } = before;
  if (engine !== undefined) {
    await endEngine(engine.pid, engine.started);
    await run("ip", ["link", "delete", "docker0"]).catch(() => "it was gone already");
    await restoreFirewall(engine.firewall);
  }
  for (const [path, value] of Object.entries(sysctls)) {
    if (existsSync(path) && readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value);
  }
  rmSync(recordFile, { force: true });
  for (const empty of [folder, "/run/berth"]) {
    if (globSync(`${empty}/*`).length === 0) rmdirSync(empty);
  }
}

async function endEngine(pid: number, started: string): Promise<void> {
  const begun = performance.now();
  const runs = () => startTime(pid) === started;
  if (runs()) process.kill(pid, "SIGTERM");
  while (runs() && performance.now() - begun < engineEndMaxMs) await sleep(50);
  if (runs()) process.kill(pid, "SIGKILL");
}

function readRecord(): Before | undefined {
  if (!existsSync(recordFile)) return undefined;
  return record.parse(JSON.parse(readFileSync(recordFile, "utf8")));
}

function write(before: Before): void {
  writeFileSync(`${recordFile}.new`, JSON.stringify(before));
  renameSync(`${recordFile}.new`, recordFile);
}

/** The settings that an engine, an agent or an lb may change. */
function sysctlsNow(): Record<string, string> {
  const files = globSync([
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/{all,default,lo,eth*,en*}/{route_localnet,rp_filter,forwarding}",
    "/proc/sys/net/bridge/bridge-nf-call-*",
    "/proc/sys/net/ipv6/conf/{all,default}/forwarding",
    "/proc/sys/net/netfilter/nf_conntrack_max",
  ]);
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, "utf8").trim()]));
}

/** When a process began, which tells it from a later one of the same pid. Undefined: it has ended. */
function startTime(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const fields = readFileSync(file, "utf8").split(") ")[1]?.split(" ") ?? [];
  return fields[0] === "Z" ? undefined : fields[19];
}

/** One process at a time. The kernel gives the lock back when its holder ends, however that ends. */
async function lock(): Promise<AsyncDisposable> {
  const begun = performance.now();
  for (;;) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ path: "\0berth-machine" }, () => resolve(true));
    });
    if (taken) {
      return {
        [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
      };
    }
    if (performance.now() - begun > lockMaxMs) {
      throw new Error("another start or stop of a cluster on this machine does not come to an end");
    }
    await sleep(50);
  }
}
