/** A whole cluster for tests: every service a process, real NATS, real Docker, real kubectl. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningCluster, startCluster } from "../scripts/supervisor/cluster.ts";
import { MachineTaken } from "../scripts/supervisor/machine-registry.ts";
import { freePort } from "../scripts/supervisor/identity.ts";
import type { Ranges } from "../scripts/supervisor/ranges.ts";
import { clusterOptions } from "../scripts/supervisor/options.ts";
import { ensureKubectl } from "../scripts/tools/tools.ts";
import { CommandFailed, run } from "../scripts/tools/run.ts";

/** Runs kubectl to its end and gives what it printed; throws what it said when it fails. */
export type Kubectl = (
  args: readonly string[],
  input?: string,
  env?: Readonly<Record<string, string>>,
) => Promise<string>;

export type TestCluster = RunningCluster & { readonly kubectl: Kubectl };

/** Pairs of a pod and a service range that tests may use. */
const rangesMax = 16;

/** With ranges of its own, so that it runs beside others and a cluster of the machine's user. */
export async function testCluster(
  given: Parameters<typeof clusterOptions>[0] = {},
): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "berth-test-"));
  const cluster = await inFreeRanges(async (ranges) => {
    const options = { port: await freePort(), dir, demo: false, ...ranges, ...given };
    return startCluster(clusterOptions(options), () => undefined);
  });
  const kubectl = await kubectlOf(cluster.kubeconfig, dir);
  await eventually("the gateway answers", () => kubectl(["get", "namespace", "default"]));
  return {
    ...cluster,
    kubectl,
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** @param home where it may keep its caches */
export async function kubectlOf(kubeconfig: string, home: string): Promise<Kubectl> {
  const command = await ensureKubectl();
  const ours = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
  return (args, input, env) => {
    const options = { env: { ...ours, ...env }, timeoutMs: 120_000 };
    return run(command, args, { ...options, ...(input !== undefined && { input }) });
  };
}

/**
 * Starts something in the first ranges that nothing on the machine has.
 *
 * @throws {MachineTaken} when as many clusters as there are ranges run already
 */
export async function inFreeRanges<T>(start: (ranges: Ranges) => Promise<T>, nth = 0): Promise<T> {
  try {
    return await start({
      podCIDR: `10.${249 - nth}.0.0/16`,
      serviceCIDR: `10.${109 + nth}.0.0/16`,
    });
  } catch (error) {
    if (!(error instanceof MachineTaken) || nth + 1 >= rangesMax) throw error;
    return inFreeRanges(start, nth + 1);
  }
}

/**
 * The first result of `attempt` that is no failure.
 *
 * @throws {Error} naming `what`, with the last failure, when there is none within `timeoutMs`
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) {
        const said = error instanceof CommandFailed ? `: ${error.message}` : "";
        throw new Error(`in ${timeoutMs} ms it did not happen that ${what}${said}`, {
          cause: error,
        });
      }
      await sleep(100);
    }
  }
}
