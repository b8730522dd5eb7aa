/** Gateways as processes, each on a port of its own that it keeps from life to life. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../scripts/supervisor/identity.ts";

const root = join(import.meta.dirname, "..", "..");
const program = join(root, "services", "api", "main.ts");

export type Gateways = AsyncDisposable & {
  readonly ports: readonly number[];
  /** Of the first; all share their authority and users. */
  readonly kubeconfig: string;
  /** Ends one by a signal; resolves when it is gone. */
  end(nth: number, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts one that has ended; resolves when it serves. */
  start(nth: number): Promise<void>;
};

export async function startGateways(natsUrl: string, count: number): Promise<Gateways> {
  const folder = await mkdtemp(join(tmpdir(), "berth-informers-"));
  const ports: number[] = [];
  for (let nth = 0; nth < count; nth += 1) ports.push(await freePort());
  const children: (ChildProcess | undefined)[] = [];
  const kubeconfig = (nth: number) => join(folder, `kubeconfig-${nth}`);

  async function start(nth: number): Promise<void> {
    await rm(kubeconfig(nth), { force: true });
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        BERTH_NATS_URL: natsUrl,
        BERTH_API_PORT: String(ports[nth]),
        BERTH_PKI_DIR: join(folder, "pki"),
        BERTH_KUBECONFIG: kubeconfig(nth),
        BERTH_LOG_LEVEL: "error",
        BERTH_INSTANCE: `api-${nth}`,
      },
    });
    children[nth] = child;
    const until = AbortSignal.timeout(90_000);
    while (!existsSync(kubeconfig(nth)) || (await readFile(kubeconfig(nth), "utf8")) === "") {
      if (until.aborted || child.exitCode !== null) throw new Error("a gateway did not start");
      await sleep(20);
    }
  }

  async function end(nth: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = children[nth];
    if (child === undefined) return;
    children[nth] = undefined;
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill(signal)) await exited;
  }

  const gateways: Gateways = {
    ports,
    kubeconfig: kubeconfig(0),
    end,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all(ports.map((_, nth) => end(nth, "SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start(0); // It makes the authority; the others find it.
    await Promise.all(ports.slice(1).map((_, nth) => start(nth + 1)));
  } catch (error) {
    await gateways[Symbol.asyncDispose]();
    throw error;
  }
  return gateways;
}
