import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { logFile } from "./log-file.ts";

export type ChildSpec = {
  /** Unique in the cluster, such as `controllers-0`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
};

const firstDelayMs = 200;
const delayMaxMs = 5_000;
/** One that lived this long begins anew with the first delay. */
const steadyMs = 3_000;
const endMaxMs = 8_000;

/** A process that is started again, with back-off, when it dies. */
export type Child = {
  readonly name: string;
  /** Of the process that runs now; undefined between two. */
  pid(): number | undefined;
  /** How often it was started again. */
  restarts(): number;
  /** `kill -9`; it will be started again. */
  kill(): void;
  /** SIGTERM and after a while SIGKILL, or SIGKILL at once; no new start until `start`. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): void;
};

/**
 * Starts `spec`. Its stdin is a pipe that this process holds: it ends when this process does, however
 * that ends.
 */
export function child(spec: ChildSpec, onRestart: (name: string) => void): Child {
  const log = logFile(spec.logPath);
  let current: ChildProcess | undefined;
  let wanted = false;
  let restarts = 0;
  let running: Promise<void> = Promise.resolve();
  let pause = new AbortController();

  async function run(): Promise<void> {
    let delayMs = firstDelayMs;
    while (wanted) {
      const begun = performance.now();
      await runOnce();
      if (!wanted) return;
      if (performance.now() - begun > steadyMs) delayMs = firstDelayMs;
      await sleep(delayMs, undefined, { signal: pause.signal }).catch(
        () => "stopped while it waited",
      );
      delayMs = Math.min(delayMs * 2, delayMaxMs);
      restarts += 1;
      if (wanted) onRestart(spec.name);
    }
  }

  async function runOnce(): Promise<void> {
    const { command, args, env } = spec;
    const started = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true, // A terminal's Ctrl-C is ours to pass on.
    });
    current = started;
    started.stdin.on("error", () => "it ended before its pipe did");
    started.stdout.on("data", (chunk: Uint8Array) => log.write(chunk));
    started.stderr.on("data", (chunk: Uint8Array) => log.write(chunk));
    await new Promise<void>((resolve) => {
      started.once("error", (error) => {
        log.write(Buffer.from(`${spec.name} could not be started: ${error.message}\n`));
        resolve();
      });
      started.once("exit", () => resolve());
    });
    current = undefined;
  }

  return {
    name: spec.name,
    pid: () => current?.pid,
    restarts: () => restarts,
    kill: () => void current?.kill("SIGKILL"),
    start() {
      if (wanted) return;
      wanted = true;
      pause = new AbortController();
      running = running.then(run);
    },
    async stop(signal = "SIGTERM") {
      wanted = false;
      pause.abort();
      const ending = current;
      if (ending !== undefined && ending.exitCode === null && ending.signalCode === null) {
        const ended = once(ending, "exit");
        ending.kill(signal);
        const patience = new AbortController();
        const late = sleep(endMaxMs, "late" as const, { signal: patience.signal });
        if ((await Promise.race([ended, late])) === "late") ending.kill("SIGKILL");
        patience.abort();
        await late.catch(() => "in time");
      }
      await running;
    },
  };
}
