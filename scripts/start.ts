/** `npm start`: a whole cluster on this machine, until Ctrl-C. */
import Docker from "dockerode";
import { natsBus } from "../libs/bus/nats.ts";
import { systemClock } from "../libs/telemetry/clock.ts";
import { createLog } from "../libs/telemetry/log.ts";
import { systemRandom } from "../libs/telemetry/random.ts";
import { ensureHelloImages } from "./images/hello.ts";
import { printedProgress } from "./progress.ts";
import { type RunningCluster, startCluster } from "./supervisor/cluster.ts";
import { runDemo } from "./supervisor/demo.ts";
import { MachineTaken } from "./supervisor/machine-registry.ts";
import { type ClusterOptions, optionsFromArguments } from "./supervisor/options.ts";
import { fillCompileCache } from "./tools/compile-cache.ts";
import { ensureEngine } from "./tools/engine.ts";
import { ensureNatsServer, Missing } from "./tools/tools.ts";

const demoMaxMs = 120_000;
const progress = printedProgress();
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());

try {
  await main(optionsFromArguments(process.argv.slice(2)));
} catch (error) {
  if (!stop.signal.aborted) {
    const expected = error instanceof Missing || error instanceof MachineTaken;
    progress.note(expected ? error.message : String(error instanceof Error ? error.stack : error));
    process.exitCode = 1;
  }
}

async function main(options: ClusterOptions): Promise<void> {
  // Beside what follows, which on a first start waits for others. It only spares time and memory.
  const filled = fillCompileCache().catch((error: unknown) =>
    progress.note(`the services' code could not be compiled ahead: ${String(error)}`),
  );
  await progress.step("nats-server", ensureNatsServer);
  await using stack = new AsyncDisposableStack();
  if (options.nodes > 0) {
    stack.use(await progress.step("Docker engine and nftables", ensureEngine));
    await progress.step("images", () => ensureHelloImages(new Docker()));
  }
  const said = (name: string) => progress.note(`${name} ended and was started again`);
  const cluster = await progress.step("services", async () => {
    await filled;
    return startCluster(options, said);
  });
  stack.defer(() =>
    progress.step("taking the cluster down", async () => cluster[Symbol.asyncDispose]()),
  );
  if (options.demo && options.nodes > 0 && !stop.signal.aborted) await showDemo(cluster);
  process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`);
  await stopped();
}

async function showDemo(cluster: RunningCluster): Promise<void> {
  const log = createLog("start", "silent");
  const ports = { clock: systemClock, random: systemRandom, log };
  await using bus = await natsBus({ url: cluster.natsUrl, name: "start", ...ports });
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(demoMaxMs)]);
  const url = await progress.step("the demo answers", () => runDemo(bus, signal));
  process.stdout.write(`\n${url}\n`);
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    if (stop.signal.aborted) return resolve();
    const alive = setInterval(() => undefined, 60_000);
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    stop.signal.addEventListener("abort", end, { once: true });
  });
}
