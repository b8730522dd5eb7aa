/** A whole cluster on this machine, until it is told to stop. */
import Docker from "dockerode";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { ensureHelloImages } from "../images/hello.ts";
import { printedProgress } from "../progress.ts";
import { fillCompileCache } from "../tools/compile-cache.ts";
import { ensureEngine } from "../tools/engine.ts";
import { ensureNatsServer, Missing } from "../tools/tools.ts";
import { type RunningCluster, startCluster } from "./cluster.ts";
import { runDemo } from "./demo.ts";
import { MachineTaken } from "./machine-registry.ts";
import { BadOptions, type ClusterOptions, optionsFrom } from "./options.ts";
import { RangesRefused } from "./ranges.ts";

const demoMaxMs = 120_000;
/** Their messages are for the user, who can act on them. */
const expected = [BadOptions, MachineTaken, Missing, RangesRefused];
const progress = printedProgress();

/** Gives the process's exit code: 0 also when it is stopped while it starts. */
export async function start(argv: readonly string[], stop: AbortSignal): Promise<number> {
  const down = new AsyncDisposableStack();
  let code = 0;
  try {
    const options = optionsFrom(argv, process.env);
    const cluster = await bringUp(options, down, stop);
    await show(cluster, options, stop);
    await aborted(stop);
  } catch (error) {
    // A stop breaks off what is under way; what then could not be taken away is a failure still.
    if (!stop.aborted || error instanceof SuppressedError) code = failed(error);
  }
  try {
    await down.disposeAsync();
  } catch (error) {
    code = failed(error);
  }
  return code;
}

function failed(error: unknown): number {
  const isExpected = expected.some((kind) => error instanceof kind);
  const said = error instanceof Error ? (isExpected ? error.message : error.stack) : error;
  progress.note(String(said));
  return 1;
}

async function bringUp(
  options: ClusterOptions,
  down: AsyncDisposableStack,
  stop: AbortSignal,
): Promise<RunningCluster> {
  const step = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    stop.throwIfAborted();
    return progress.step(what, act);
  };
  // Beside what follows, which on a first start waits for others. It only spares time and memory.
  const filled = fillCompileCache().catch((error: unknown) =>
    progress.note(`the services' code could not be compiled ahead: ${String(error)}`),
  );
  await step("nats-server", ensureNatsServer);
  if (options.hollow > 0) {
    const without = options.nodes > 0 ? ", and there is no demo" : ": no engine, no demo";
    progress.note(
      `${options.hollow} hollow nodes: pods become ready on them, but no container runs${without}`,
    );
  }
  if (options.nodes > 0) {
    down.use(await step("Docker engine and nftables", ensureEngine));
    await step("images", () => ensureHelloImages(new Docker()));
  }
  const said = (name: string) => progress.note(`${name} ended and was started again`);
  const cluster = await step("services", async () => {
    await filled;
    return startCluster(options, said, stop);
  });
  down.defer(() =>
    progress.step("taking the cluster down", async () => cluster[Symbol.asyncDispose]()),
  );
  return cluster;
}

async function show(
  cluster: RunningCluster,
  options: ClusterOptions,
  stop: AbortSignal,
): Promise<void> {
  if (options.demo && options.nodes > 0 && !stop.aborted) await showDemo(cluster, stop);
  process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`);
}

async function showDemo(cluster: RunningCluster, stop: AbortSignal): Promise<void> {
  const log = createLog("start", "silent");
  const ports = { clock: systemClock, random: systemRandom, log };
  await using bus = await natsBus({ url: cluster.natsUrl, name: "start", ...ports });
  const signal = AbortSignal.any([stop, AbortSignal.timeout(demoMaxMs)]);
  const url = await progress.step("the demo answers", () => runDemo(bus, signal));
  process.stdout.write(`\n${url}\n`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const alive = setInterval(() => undefined, 60_000);
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
  });
}
