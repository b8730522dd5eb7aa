/** A gateway as people run it: its own process on a real nats-server, and nothing else of a cluster. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/tools/paths.ts";
import { clientOf, type HttpsClient } from "../../test/https-client.ts";
import { type NatsServers, startNats } from "../../test/nats-server.ts";

export type BenchGateway = AsyncDisposable & {
  readonly nats: NatsServers;
  readonly client: HttpsClient;
  readonly kubeconfig: string;
  /** Resident memory of the process, MiB. */
  memory(): Promise<number>;
  /** Ends the process and starts another; resolves once that is ready. Gives how long that took, ms. */
  restart(): Promise<number>;
};

const readyWithinMs = 120_000;

export async function benchGateway(): Promise<BenchGateway> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const folder = await mkdtemp(join(tmpdir(), "berth-bench-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "kubeconfig");
  let child: ChildProcess | undefined;
  const end = async () => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    if (child.kill("SIGTERM")) await exited;
    child = undefined;
  };
  const start = async () => {
    await rm(kubeconfig, { force: true });
    child = spawn(process.execPath, [join(root, "services/api/main.ts")], {
      env: {
        PATH: process.env["PATH"],
        BERTH_NATS_URL: nats.url,
        BERTH_API_PORT: "0",
        BERTH_PKI_DIR: join(folder, "pki"),
        BERTH_KUBECONFIG: kubeconfig,
        BERTH_LOG_LEVEL: "error",
      },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const deadline = performance.now() + readyWithinMs;
    while (!existsSync(kubeconfig)) {
      if (performance.now() > deadline) throw new Error("the gateway did not start");
      await sleep(5);
    }
    return clientOf(kubeconfig);
  };
  stack.defer(end);
  let client = await start();
  for (const name of ["default", "bench"]) {
    await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  }
  const opened = stack.move();
  return {
    nats,
    kubeconfig,
    client: {
      call: (...request) => client.call(...request),
      upgrade: (...request) => client.upgrade(...request),
    },
    async memory() {
      const status = await readFile(`/proc/${child?.pid ?? 0}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1_024;
    },
    async restart() {
      await end();
      const begun = performance.now();
      client = await start();
      return performance.now() - begun;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Runs `work` for each number below `count`, `atOnce` at a time. */
export async function each(
  count: number,
  atOnce: number,
  work: (nth: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let nth = next++; nth < count; nth = next++) await work(nth);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/** How long it took, ms. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

/** @throws {Error} with what was answered, when that is no success */
export async function must(answer: ReturnType<HttpsClient["call"]>) {
  const { code, text, body } = await answer;
  if (code >= 300) throw new Error(`${code}: ${text.slice(0, 500)}`);
  return { text, body };
}

/** A pod of one container, as large as they are. */
export const benchPod = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "bench", labels: { app: "bench", tier: "front" } },
  spec: {
    containers: [
      {
        name: "app",
        image: "registry.local/app:1.2.3",
        ports: [{ containerPort: 8_080 }],
        env: [{ name: "LEVEL", value: "info" }],
        resources: { requests: { cpu: "100m", memory: "64Mi" } },
      },
    ],
  },
});

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
