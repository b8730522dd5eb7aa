/** An agent on this machine's Docker, with the control plane's side in this process: for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import type { ByteStream } from "../../libs/bus/bus.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { runCommand } from "../../libs/machine/run-command.ts";
import type { Assignment } from "../../libs/protocol/node.ts";
import { nodeSubject } from "../../libs/protocol/subjects.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { runAgent } from "./agent.ts";
import { clusterFacts, type FakeControl, fakeControl, nodeFacts } from "./agent-fixture.ts";
import { forwardRules, podNetwork } from "./network/network.ts";
import { dockerRuntime } from "./runtime/docker.ts";
import type { ContainerRuntime } from "./runtime/runtime.ts";
import { testImage } from "./runtime/test-image.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "error") };

/** What was asked of a container, and what it came to. */
export type Ran = { readonly output: string; readonly exitCode: string };

export type DockerAgent = AsyncDisposable & {
  readonly docker: Docker;
  readonly image: string;
  /** What it keeps on disk. */
  readonly dataDir: string;
  /** Of the agent that runs now, as the next. */
  readonly control: FakeControl;
  readonly runtime: ContainerRuntime;
  /** Ends the agent and starts another, to which that is assigned: containers run on. */
  restart(assignments: readonly Assignment[]): Promise<void>;
  exec(pod: string, container: string, command: readonly string[], input?: string): Promise<Ran>;
  /** Of a container's own process: what it says to `input`. */
  attach(pod: string, container: string, input: string): Promise<Ran>;
  /** What was said by now or, followed, until the container ends or has said `until`. */
  logs(pod: string, container: string, options?: LogsOptions): Promise<string>;
  openLogs(pod: string, container: string, follow: boolean): Promise<ByteStream>;
  /** Ends the agent; containers run on. */
  end(): Promise<void>;
};
type LogsOptions = { readonly follow?: boolean; readonly until?: string | undefined };

/** @param drains whether what ends a pod waits until nobody sends to it */
export async function dockerAgent(
  node: string,
  { drains = false }: { readonly drains?: boolean } = {},
): Promise<DockerAgent> {
  const docker = new Docker();
  const image = await testImage(docker);
  const dataDir = await mkdtemp(join(tmpdir(), "berth-agent-"));

  async function begin(assignments: readonly Assignment[]) {
    const bus = memoryBus(ports);
    const control = await fakeControl(bus, node);
    for (const one of assignments) control.assign(one);
    const stop = new AbortController();
    const runtime = await dockerRuntime({
      docker,
      cluster: clusterFacts.clusterId,
      node,
      ...ports,
    });
    const running = runAgent({
      node,
      connect: async () => bus,
      runtime,
      openNetwork: (range, cluster) =>
        podNetwork({ docker, run: runCommand, node, podCIDR: range, cluster, log: ports.log }),
      facts: nodeFacts,
      dataDir,
      drains,
      onAccepted: () => undefined,
      signal: stop.signal,
      ...ports,
    });
    return { bus, control, runtime, running, stop };
  }
  let agent = await begin([]);

  async function end(): Promise<void> {
    agent.stop.abort();
    await agent.running;
  }

  async function open(
    pod: string,
    container: string,
    command: readonly string[],
  ): Promise<ByteStream> {
    const where = { namespace: "default", pod, uid: `uid-${pod}`, container };
    const how = { command, stdin: true, stdout: true, stderr: true, tty: false };
    return agent.bus.open(
      nodeSubject(node, "exec"),
      new TextEncoder().encode(JSON.stringify({ ...where, ...how })),
    );
  }

  async function openLogs(pod: string, container: string, follow: boolean): Promise<ByteStream> {
    const where = { namespace: "default", pod, uid: `uid-${pod}`, container };
    const how = { follow, previous: false, timestamps: false };
    const opening = new TextEncoder().encode(JSON.stringify({ ...where, ...how }));
    return agent.bus.open(nodeSubject(node, "logs"), opening);
  }

  async function run(
    pod: string,
    container: string,
    command: readonly string[],
    input: string,
  ): Promise<Ran> {
    await using stream = await open(pod, container, command);
    await stream.write(Buffer.concat([Buffer.from([0]), Buffer.from(input)]));
    await stream.write(new Uint8Array([255, 0]));
    let [output, exitCode] = ["", "0"];
    for await (const chunk of stream.readable) {
      const text = new TextDecoder().decode(chunk.subarray(1));
      if (chunk[0] === 1) output += text;
      if (chunk[0] !== 3) continue;
      const { details } = JSON.parse(text) as { details?: { causes: { message: string }[] } }; // A v1 Status.
      exitCode = details?.causes[0]?.message ?? "0";
    }
    return { output, exitCode };
  }

  return {
    docker,
    image,
    dataDir,
    get control() {
      return agent.control;
    },
    get runtime() {
      return agent.runtime;
    },
    async restart(assignments) {
      await end();
      await agent.runtime[Symbol.asyncDispose]();
      agent = await begin(assignments);
    },
    exec: (pod, container, command, input = "") => run(pod, container, command, input),
    attach: (pod, container, input) => run(pod, container, [], input),
    openLogs,
    async logs(pod, container, { follow = true, until } = {}) {
      await using stream = await openLogs(pod, container, follow);
      let text = "";
      for await (const chunk of stream.readable) {
        text += new TextDecoder().decode(chunk);
        if (until !== undefined && text.includes(until)) break;
      }
      return text;
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
      const { runtime } = agent;
      await Promise.all(runtime.containers().map(({ id }) => runtime.remove(id)));
      await runtime[Symbol.asyncDispose]();
      const { clusterId } = clusterFacts;
      await docker.getNetwork(`berth-${clusterId}-${node}`).remove();
      for (const rule of forwardRules(clusterId))
        await runCommand(["iptables", "-w", "5", "-D", "DOCKER-USER", ...rule]);
      await runCommand(["nft", "delete", "table", "ip", `berth_${clusterId}_${node}`]);
      await runCommand(["ip", "route", "del", "unreachable", clusterFacts.podCIDR]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
