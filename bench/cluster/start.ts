/**
 * How long from `npm start` to a demo that answers? First in a clone with nothing installed and no
 * state, then again; beside the bare Docker API that starts the demo's three containers.
 *
 *     node bench/cluster/start.ts [--runs 3] [--only second]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import Docker from "dockerode";
import { freePort } from "../../scripts/supervisor/identity.ts";
import { root } from "../../scripts/tools/paths.ts";
import { run } from "../../scripts/tools/run.ts";
import { type Result, report } from "../report.ts";

type Params = { readonly runs: number; readonly only?: "second" };

/** Unlike those of `npm start` and of tests, and seldom those of another run on the machine. */
const ordinal = process.pid % 25;
const ranges = [
  "--pod-cidr",
  `10.${200 + ordinal}.0.0/16`,
  "--service-cidr",
  `10.${140 + ordinal}.0.0/16`,
];
const withinMs = 600_000;
const demoContainers = 3;

/** A first start asks registries for npm packages, and for nats-server where PATH has none. */
export async function benchStart({ runs, only }: Params): Promise<readonly Result[]> {
  const [first, second, bare]: [number[], number[], number[]] = [[], [], []];
  for (let nth = 0; nth < runs; nth += 1) {
    const folder = await mkdtemp(join(tmpdir(), "berth-bench-start-"));
    try {
      const clone = only === "second" ? root : join(folder, "berth");
      if (clone !== root) await run("git", ["clone", "--quiet", root, clone]);
      const took = [await timeStart(clone, folder), await timeStart(clone, folder)] as const;
      first.push(took[0]);
      second.push(took[1]);
      bare.push(await timeDocker(new Docker()));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const baseline = {
    name: `Docker's API, until ${demoContainers} of the demo answer`,
    measured: bare,
  };
  const of = (which: string, measured: readonly number[]): Result => ({
    bench: `cluster/start-${which}`,
    params: {},
    unit: "ms",
    measured,
    baseline,
  });
  return [...(only === "second" ? [] : [of("first", first)]), of("second", second)];
}

/** Starts, waits for the demo, ends it. @returns ms until the demo has answered */
async function timeStart(clone: string, folder: string): Promise<number> {
  const port = String(await freePort());
  const begunMs = performance.now();
  // Here without start.sh: it installs anew where the lockfile has changed, and not what tests need.
  const program =
    clone === root ? [process.execPath, "scripts/start.ts"] : ["sh", "scripts/start.sh"];
  const [command = "sh", ...rest] = program;
  const args = [...rest, "--dir", join(folder, "state"), "--port", port, ...ranges];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(clone, ".berth/compile-cache") };
  const started = spawn(command, args, { cwd: clone, env, stdio: ["ignore", "pipe", "pipe"] });
  try {
    await saysItsKubeconfig(started);
    return performance.now() - begunMs;
  } finally {
    if (started.exitCode === null && started.kill("SIGTERM")) await once(started, "exit");
  }
}

/** What `npm start` prints last, once the demo has answered. */
async function saysItsKubeconfig(started: ChildProcess): Promise<void> {
  let said = "";
  const heard = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("http://") && said.includes("KUBECONFIG=")) resolve();
    };
    started.stdout?.on("data", hear);
    started.stderr?.on("data", hear);
    started.once("exit", () => reject(new Error(`npm start ended: ${said}`)));
  });
  const stop = new AbortController();
  const late = sleep(withinMs, "late" as const, { signal: stop.signal, ref: false });
  late.catch(() => "in time");
  const outcome = await Promise.race([heard, late]);
  stop.abort();
  if (outcome === "late") throw new Error(`the demo did not answer: ${said}`);
}

async function timeDocker(docker: Docker): Promise<number> {
  const begunMs = performance.now();
  const containers = await Promise.all(
    Array.from({ length: demoContainers }, async () => {
      const container = await docker.createContainer({ Image: "berth/hello:v1" });
      await container.start();
      return container;
    }),
  );
  try {
    await Promise.all(containers.map(answers));
    return performance.now() - begunMs;
  } finally {
    await Promise.all(containers.map((container) => container.remove({ force: true })));
  }
}

async function answers(container: Docker.Container): Promise<void> {
  const { NetworkSettings } = await container.inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  const deadline = AbortSignal.timeout(withinMs);
  for (;;) {
    try {
      await (await fetch(`http://${network?.IPAddress}:8080/ready`, { signal: deadline })).text();
      return;
    } catch (error) {
      if (deadline.aborted) throw error;
      await sleep(10);
    }
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { runs: { type: "string", default: "3" }, only: { type: "string" } },
  });
  const second = values.only === "second" && { only: "second" as const };
  report(await benchStart({ runs: Number(values.runs), ...second }));
}
