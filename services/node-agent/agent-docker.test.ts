import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../libs/telemetry/clock.ts";
import {
  anAssignment,
  clusterFacts,
  type FakeControl,
  podCIDR,
  statusIn,
} from "./agent-fixture.ts";
import { type DockerAgent, dockerAgent } from "./agent-docker-fixture.ts";
import { bridgeName } from "./network/network.ts";
import { ordinalOf } from "./network/addresses.ts";
import { containerSpec } from "./pod/container-spec.ts";
import { parseWork } from "./pod/spec.ts";
import type { ContainerRuntime } from "./runtime/runtime.ts";

const node = "n7";

describe("an agent on Docker", () => {
  let agent: DockerAgent;
  let [dataDir, image] = ["", ""];
  let docker: Docker;
  let control: FakeControl;
  let runtime: ContainerRuntime;

  beforeAll(async () => {
    agent = await dockerAgent(node, { drains: true });
    ({ dataDir, image, docker, control, runtime } = agent);
  });
  afterAll(async () => agent?.[Symbol.asyncDispose]());

  /** Looks until it holds: what containers write is told by nobody. */
  async function eventually(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await systemClock.sleep(50);
  }

  /** What containers of a pod wrote to `log` in a volume of theirs. */
  const logsIn = (volume: string, uid: string) =>
    readFile(join(dataDir, "pods", uid, "volumes", volume, "log"), "utf8").catch(() => "");
  const restarts = (report: Parameters<typeof statusIn>[0]) =>
    statusIn(report).containerStatuses[0]?.restartCount;
  const isReady = (report: Parameters<typeof statusIn>[0]) =>
    statusIn(report).conditions.some(({ type, status }) => type === "Ready" && status === "True");
  const server = (port: number) => ({
    image,
    command: ["httpd", "-f", "-p", String(port), "-h", "/bin"],
    ports: [{ name: "http", containerPort: port }],
    readinessProbe: { httpGet: { path: "/busybox", port: "http" }, periodSeconds: 1 },
  });

  test("says which images are on its machine", async () => {
    const shown = () => control.facts()?.images?.find(({ names }) => names.includes(image));
    await eventually(async () => shown() !== undefined);
    expect(shown()?.sizeBytes).toBeGreaterThan(0);
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
    expect(status.podIP?.startsWith(podCIDR.replace("0/24", ""))).toBe(true);
    const resolving = `nameserver ${clusterFacts.dnsAddress}\nsearch default.svc.cluster.local`;
    expect(await logsOf("web")).toContain(`hello web\n${resolving}`);
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

  test("comes back after somebody removed its container, and counts it", async () => {
    const [before] = runtime.containers("uid-web");
    await docker.getContainer(before?.id ?? "").remove({ force: true });
    const report = await control.reported("web", (one) => isReady(one) && restarts(one) === 1);
    expect(report.gone).toBe(false);
    expect(runtime.containers("uid-web").map(({ id }) => id)).not.toContain(before?.id);
  });

  test("replaces a container in place when its image is changed", async () => {
    const [repo = ""] = image.split(":");
    await docker.getImage(image).tag({ repo, tag: "patched" });
    onTestFinished(async () => {
      await docker.getImage(`${repo}:patched`).remove({ force: true });
    });
    const command = ["sleep", "600"];
    const spec = { terminationGracePeriodSeconds: 1, restartPolicy: "Never" };
    control.assign(anAssignment("patched", { image, command }, { spec }));
    await control.reported("patched", isReady);
    control.assign(anAssignment("patched", { image: `${repo}:patched`, command }, { spec }));
    const status = statusIn(
      await control.reported("patched", (one) => isReady(one) && restarts(one) === 1),
    );
    expect(status.containerStatuses[0]).toMatchObject({
      image: `${repo}:patched`,
      lastState: { terminated: { exitCode: 137 } },
    });
    expect(control.events).toContainEqual(
      expect.objectContaining({
        uid: "uid-patched",
        reason: "Killing",
        message: "Container main definition changed, will be restarted",
      }),
    );
  });

  test("runs init containers and sidecars in order, and completes without waiting for them", async () => {
    const shared = [{ name: "work", mountPath: "/work" }];
    const step = (name: string, script: string, more = {}) => ({
      name,
      image,
      command: ["sh", "-c", script],
      volumeMounts: shared,
      ...more,
    });
    const spec = {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 5,
      volumes: [{ name: "work", emptyDir: {} }],
      initContainers: [
        step(
          "proxy",
          'trap "echo proxy-ended >> /work/log; exit 0" TERM; echo proxy >> /work/log; touch /work/up; while true; do sleep 0.1; done',
          {
            restartPolicy: "Always",
            startupProbe: { exec: { command: ["test", "-e", "/work/up"] }, periodSeconds: 1 },
          },
        ),
        step("setup", "test -e /work/up && echo setup >> /work/log"),
      ],
      containers: [step("main", "echo main >> /work/log; sleep 1; cat /work/log")],
    };
    control.assign(anAssignment("job2", {}, { spec }));
    const status = statusIn(
      await control.reported("job2", (one) => statusIn(one).phase === "Succeeded"),
    );
    expect(status.initContainerStatuses).toMatchObject([
      { name: "proxy", state: { terminated: { exitCode: 0 } } },
      { name: "setup", state: { terminated: { exitCode: 0, reason: "Completed" } } },
    ]);
    expect(await logsOf("job2")).toBe("proxy\nsetup\nmain\n");
    expect(await logsIn("work", "uid-job2")).toMatch(/main\nproxy-ended\n$/);
  });

  test("says how containers ended: by their own word, the end of their log, the kernel", async () => {
    const containers = [
      { name: "says", image, command: ["sh", "-c", "echo why > /dev/termination-log; exit 3"] },
      {
        name: "logs",
        image,
        command: ["sh", "-c", "echo last words; exit 4"],
        terminationMessagePolicy: "FallbackToLogsOnError",
      },
      { name: "well", image, command: ["sh", "-c", "exit 0"] },
      {
        name: "large",
        image,
        command: ["/bin/busybox", "tail", "/dev/zero"],
        resources: { limits: { memory: "8Mi" } },
      },
    ];
    control.assign(anAssignment("ends", {}, { spec: { containers, restartPolicy: "Never" } }));
    const status = statusIn(
      await control.reported("ends", (one) => statusIn(one).phase === "Failed"),
    );
    expect(status.containerStatuses.map(({ state }) => state.terminated)).toMatchObject([
      { exitCode: 3, reason: "Error", message: "why\n" },
      { exitCode: 4, reason: "Error", message: "last words\n" },
      { exitCode: 0, reason: "Completed" },
      { exitCode: 137, reason: "OOMKilled" },
    ]);
  });

  test("ends a pod that is over its deadline", async () => {
    const spec = { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0 };
    control.assign(anAssignment("late", { image, command: ["sleep", "600"] }, { spec }));
    const status = statusIn(
      await control.reported("late", (one) => statusIn(one).phase === "Failed"),
    );
    expect(status["reason"]).toBe("DeadlineExceeded");
  });

  test("runs hooks after the start and before the end, within the grace", async () => {
    const script = (text: string) => ({ exec: { command: ["sh", "-c", text] } });
    const volumes = [{ name: "work", emptyDir: {} }];
    const container = {
      image,
      command: [
        "sh",
        "-c",
        'trap "echo TERM >> /work/log; exit 0" TERM; while true; do sleep 0.1; done',
      ],
      volumeMounts: [{ name: "work", mountPath: "/work" }],
      lifecycle: {
        postStart: script("echo started > /work/log"),
        preStop: script("echo stopping >> /work/log; cat /work/log > /hooks/seen; sleep 600"),
      },
    };
    const seen = join(dataDir, "hooks");
    const spec = {
      volumes: [...volumes, { name: "seen", hostPath: { path: seen, type: "DirectoryOrCreate" } }],
    };
    const volumeMounts = [...container.volumeMounts, { name: "seen", mountPath: "/hooks" }];
    const hooked = { ...container, volumeMounts };
    control.assign(anAssignment("hooks", hooked, { spec }));
    await control.reported("hooks", isReady);
    await eventually(async () => (await logsIn("work", "uid-hooks")) === "started\n");
    control.assign(
      anAssignment("hooks", hooked, {
        spec,
        deletionTimestamp: "2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds: 2,
      }),
    );
    const beganMs = systemClock.monotonicMs();
    await control.reported("hooks", ({ gone }) => gone);
    expect(await readFile(join(seen, "seen"), "utf8")).toBe("started\nstopping\n");
    // The hook had all of the grace; then came the least there is for a signal.
    expect(systemClock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(2_000);
    expect(control.events).toContainEqual(
      expect.objectContaining({ uid: "uid-hooks", reason: "FailedPreStopHook" }),
    );
  });

  test("shows a ConfigMap's files, and their change", async () => {
    control.configs.set("ConfigMap/settings", { color: "blue", plain: "x" });
    const container = {
      image,
      command: ["sleep", "600"],
      volumeMounts: [
        { name: "cfg", mountPath: "/cfg" },
        { name: "cfg", mountPath: "/plain", subPath: "plain" },
      ],
    };
    const spec = {
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "cfg", configMap: { name: "settings", defaultMode: 0o400 } }],
    };
    control.assign(anAssignment("files", container, { spec }));
    await control.reported("files", isReady);
    const read = async (path: string) => (await execIn("files", ["cat", path], "")).output;
    expect(await read("/cfg/color")).toBe("blue");
    expect(await read("/plain")).toBe("x");
    control.configs.set("ConfigMap/settings", { color: "red", plain: "y" });
    control.changed({ kind: "ConfigMap", namespace: "default", name: "settings" });
    await eventually(async () => (await read("/cfg/color")) === "red");
    expect(await read("/plain")).toBe("x"); // What is mounted in part stays, as in Kubernetes.
  });

  test("keeps an emptyDir in memory, within its limit, while its container restarts", async () => {
    const container = {
      image,
      command: ["sh", "-c", "test -e /fast/kept && exec sleep 600; echo x > /fast/kept; exit 1"],
      volumeMounts: [{ name: "fast", mountPath: "/fast" }],
    };
    const emptyDir = { medium: "Memory", sizeLimit: "1Mi" };
    const spec = { terminationGracePeriodSeconds: 0, volumes: [{ name: "fast", emptyDir }] };
    control.assign(anAssignment("fast", container, { spec }));
    await control.reported("fast", (one) => isReady(one) && restarts(one) === 1);
    const fill = ["/bin/busybox", "dd", "if=/dev/zero", "of=/fast/full", "bs=64k", "count=32"];
    expect((await execIn("fast", fill, "")).exitCode).not.toBe("0");
    control.assign(
      anAssignment("fast", container, {
        spec,
        deletionTimestamp: "2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds: 0,
      }),
    );
    await control.reported("fast", ({ gone }) => gone);
    const label = [`berth.dev/uid=uid-fast`];
    expect((await docker.listVolumes({ filters: { label } })).Volumes).toEqual([]);
  });

  test("removes who holds its host port and whose pod nobody knows (N5)", async () => {
    const hostPort = 21_807;
    const serving = {
      ...server(8082),
      ports: [{ name: "http", containerPort: 8082, hostPort }],
    };
    const old = parseWork(anAssignment("old", serving));
    const [main] = old.spec.containers;
    if (main === undefined) throw new Error("a pod has a container");
    const placed = { work: old, address: undefined, network: "bridge", sandboxId: undefined };
    const spec = containerSpec(
      main,
      { ...placed, attempt: 0, failures: 0, nodeMemoryBytes: 2 ** 30 },
      new Map(),
      [],
    );
    const id = await runtime.create({ ...spec, network: { mode: "host" } });
    await runtime.start(id);
    control.assign(anAssignment("new", serving, { spec: { terminationGracePeriodSeconds: 0 } }));
    await control.reported("new", isReady);
    expect(runtime.containers("uid-old")).toEqual([]);
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
      await using stream = await agent.openLogs("two", "b", true);
      for await (const _chunk of stream.readable) seen.resolve();
    };
    const following = Promise.allSettled([follow()]);
    await seen.promise;
    await agent.end();
    await following;
    const left = runtime.containers("uid-two").map(({ state }) => state);
    expect(left).toEqual(["running", "running", "running"]);
  });

  const logsOf = (pod: string, container = "main", until?: string) =>
    agent.logs(pod, container, { follow: until !== undefined, until });
  const execIn = (pod: string, command: readonly string[], input: string) =>
    agent.exec(pod, "main", command, input);
});
