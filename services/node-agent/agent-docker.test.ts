import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { nodeSubject } from "../../libs/protocol/subjects.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { runAgent } from "./agent.ts";
import {
  anAssignment,
  clusterFacts,
  type FakeControl,
  fakeControl,
  nodeFacts,
  podCIDR,
  statusIn,
} from "./agent-fixture.ts";
import { bridgeName, forwardRules, podNetwork } from "./network/network.ts";
import { ordinalOf } from "./network/addresses.ts";
import { runCommand } from "../../libs/machine/run-command.ts";
import { dockerRuntime } from "./runtime/docker.ts";
import { testImage } from "./runtime/test-image.ts";
import type { ContainerRuntime } from "./runtime/runtime.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "error") };
const docker = new Docker();
const node = "n7";

describe("an agent on Docker", () => {
  let dataDir = "";
  let bus: Bus;
  let control: FakeControl;
  let runtime: ContainerRuntime;
  let running: Promise<void>;
  let image = "";
  const stop = new AbortController();

  beforeAll(async () => {
    image = await testImage(docker);
    dataDir = await mkdtemp(join(tmpdir(), "berth-agent-"));
    bus = memoryBus(ports);
    control = await fakeControl(bus, node);
    runtime = await dockerRuntime({ docker, cluster: clusterFacts.clusterId, node, ...ports });
    running = runAgent({
      node,
      connect: async () => bus,
      runtime,
      openNetwork: (range, cluster) =>
        podNetwork({ docker, run: runCommand, node, podCIDR: range, cluster, log: ports.log }),
      facts: nodeFacts,
      dataDir,
      drains: true,
      signal: stop.signal,
      ...ports,
    });
  });

  afterAll(async () => {
    stop.abort();
    await running;
    await Promise.all(runtime.containers().map(({ id }) => runtime.remove(id)));
    await runtime[Symbol.asyncDispose]();
    const { clusterId } = clusterFacts;
    await docker.getNetwork(`berth-${clusterId}-${node}`).remove();
    for (const rule of forwardRules(clusterId))
      await runCommand(["iptables", "-w", "5", "-D", "DOCKER-USER", ...rule]);
    await runCommand(["nft", "delete", "table", "ip", `berth_${clusterId}_${node}`]);
    await runCommand(["ip", "route", "del", "unreachable", clusterFacts.podCIDR]);
    await rm(dataDir, { recursive: true, force: true });
  });

  const isReady = (report: Parameters<typeof statusIn>[0]) =>
    statusIn(report).conditions.some(({ type, status }) => type === "Ready" && status === "True");
  const server = (port: number) => ({
    image,
    command: ["httpd", "-f", "-p", String(port), "-h", "/bin"],
    ports: [{ name: "http", containerPort: port }],
    readinessProbe: { httpGet: { path: "/busybox", port: "http" }, periodSeconds: 1 },
  });

  test("runs a pod that answers its probe, says its logs, and runs commands in it", async () => {
    control.assign(
      anAssignment("web", {
        ...server(8080),
        env: [
          { name: "WHO", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "HELLO", value: "hello $(WHO)" },
        ],
        command: ["sh", "-c", 'echo "$HELLO"; cat /etc/resolv.conf; exec httpd -f -p 8080 -h /bin'],
      }),
    );
    const status = statusIn(await control.reported("web", isReady));
    expect(status.podIP).toMatch(/^10\.231\.7\./);
    expect(await logsOf("web")).toMatch(
      /^hello web\nnameserver 10\.232\.0\.10\nsearch default\.svc\.cluster\.local/,
    );
    expect(await execIn("web", ["sh", "-c", "cat; exit 3"], "from stdin")).toEqual({
      output: "from stdin",
      exitCode: "3",
    });
  });

  test("reaches a pod of several containers on one address", async () => {
    const containers = [
      { name: "a", ...server(8081) },
      {
        name: "b",
        image,
        command: [
          "sh",
          "-c",
          "until wget -q -O /dev/null http://127.0.0.1:8081/busybox; do sleep 0.1; done; echo reached; exec sleep 600",
        ],
      },
    ];
    control.assign(
      anAssignment("two", {}, { spec: { containers, terminationGracePeriodSeconds: 1 } }),
    );
    await control.reported("two", isReady);
    expect(await logsOf("two", "b", "reached")).toContain("reached");
  });

  test("restarts what fails its liveness probe", async () => {
    control.assign(
      anAssignment(
        "sick",
        {
          image,
          command: ["sh", "-c", "touch /tmp/well; exec sleep 600"],
          livenessProbe: {
            exec: { command: ["test", "-e", "/tmp/well"] },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
        { spec: { terminationGracePeriodSeconds: 0 } },
      ),
    );
    await control.reported("sick", isReady);
    await execIn("sick", ["rm", "/tmp/well"], "");
    await control.reported(
      "sick",
      (one) => (statusIn(one).containerStatuses[0]?.restartCount ?? 0) >= 1 && isReady(one),
    );
    expect(control.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["Unhealthy", "Killing", "Started"]),
    );
  });

  test("runs to an end what is not to be restarted", async () => {
    control.assign(
      anAssignment(
        "job",
        { image, command: ["sh", "-c", "exit 4"] },
        { spec: { restartPolicy: "Never" } },
      ),
    );
    const status = statusIn(
      await control.reported("job", (one) => statusIn(one).phase === "Failed"),
    );
    expect(status.containerStatuses[0]?.state.terminated?.exitCode).toBe(4);
  });

  test("comes back after somebody removed its container", async () => {
    const [before] = runtime.containers("uid-web");
    await docker.getContainer(before?.id ?? "").remove({ force: true });
    const report = await control.reported(
      "web",
      (one) => isReady(one) && runtime.containers("uid-web").some(({ id }) => id !== before?.id),
    );
    expect(report.gone).toBe(false);
  });

  test("ends a pod: asks, signals, removes, and says so", async () => {
    control.assign(
      anAssignment("web", server(8080), {
        deletionTimestamp: "2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds: 1,
      }),
    );
    await control.reported("web", ({ gone }) => gone);
    expect(control.questions).toContain("uid-web");
    expect(runtime.containers("uid-web")).toEqual([]);
  });

  test("names its bridge within the kernel's limit", () => {
    expect(bridgeName("abcdefgh", ordinalOf(podCIDR, clusterFacts.podCIDR))).toBe("btabcdefgh7");
  });

  test("stops though somebody follows a log, and leaves its containers alone", async () => {
    const seen = Promise.withResolvers<void>();
    const follow = async () => {
      await using stream = await bus.open(nodeSubject(node, "logs"), openingOf("two", "b", true));
      for await (const _chunk of stream.readable) seen.resolve();
    };
    const following = Promise.allSettled([follow()]);
    await seen.promise;
    stop.abort();
    await running;
    await following;
    const left = runtime.containers("uid-two").map(({ state }) => state);
    expect(left).toEqual(["running", "running", "running"]);
  });

  const openingOf = (pod: string, container: string, follow: boolean) => {
    const which = { namespace: "default", pod, uid: `uid-${pod}`, container, follow };
    return new TextEncoder().encode(
      JSON.stringify({ ...which, previous: false, timestamps: false }),
    );
  };

  async function logsOf(pod: string, container = "main", until?: string): Promise<string> {
    const opening = openingOf(pod, container, until !== undefined);
    await using stream = await bus.open(nodeSubject(node, "logs"), opening);
    let text = "";
    for await (const chunk of stream.readable) {
      text += new TextDecoder().decode(chunk);
      if (until !== undefined && text.includes(until)) break;
    }
    return text;
  }

  async function execIn(pod: string, command: string[], input: string) {
    const opening = {
      namespace: "default",
      pod,
      uid: `uid-${pod}`,
      container: "main",
      command,
      stdin: true,
      stdout: true,
      stderr: true,
      tty: false,
    };
    await using stream = await bus.open(
      nodeSubject(node, "exec"),
      new TextEncoder().encode(JSON.stringify(opening)),
    );
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
});
