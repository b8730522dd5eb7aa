/** What is changed of a pod that runs, on Docker. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PodReport } from "../../libs/protocol/node.ts";
import { anAssignment, statusIn } from "./agent-fixture.ts";
import { type DockerAgent, dockerAgent } from "./agent-docker-fixture.ts";

let agent: DockerAgent;
beforeAll(async () => {
  agent = await dockerAgent("n8");
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
});

/** Assigns a pod of one container `main` with those ephemeral ones. */
function assign(name: string, main: object, ephemeral: readonly object[], spec: object = {}) {
  const ephemeralContainers = ephemeral.map((one) => ({ image: agent.image, ...one }));
  agent.control.assign(
    anAssignment(
      name,
      { image: agent.image, command: ["sleep", "600"], ...main },
      { spec: { terminationGracePeriodSeconds: 0, ephemeralContainers, ...spec } },
    ),
  );
}

type Added = {
  readonly name: string;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: {
    readonly running?: object;
    readonly waiting?: { readonly reason: string };
    readonly terminated?: { readonly exitCode: number };
  };
};
const addedIn = (report: PodReport): readonly Added[] =>
  (statusIn(report)["ephemeralContainerStatuses"] ?? []) as readonly Added[]; // The agent's own.
const isRunning = (report: PodReport, name = "debug") =>
  addedIn(report).some((one) => one.name === name && one.state.running !== undefined);
const isReady = (report: PodReport) =>
  statusIn(report).conditions.some(({ type, status }) => type === "Ready" && status === "True");
const sleeping = { name: "debug", command: ["sleep", "600"] };

describe("an ephemeral container on Docker", () => {
  test("is added to a pod that runs: on its network, seeing the processes of its target", async () => {
    const web = { command: ["httpd", "-f", "-p", "8080", "-h", "/bin"] };
    assign("web", web, []);
    const before = await agent.control.reported("web", isReady);
    assign("web", web, [{ ...sleeping, targetContainerName: "main" }]);
    const after = await agent.control.reported("web", isRunning);
    const [was, is] = [before, after].map((one) => statusIn(one));
    expect(is?.phase).toBe("Running");
    expect(is?.containerStatuses).toEqual(was?.containerStatuses);
    const wget = ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/busybox"];
    expect((await agent.exec("web", "debug", wget)).exitCode).toBe("0");
    const { output } = await agent.exec("web", "debug", ["ps", "-o", "args"]);
    expect(output).toContain("httpd -f -p 8080");
    expect(agent.control.events).toContainEqual(
      expect.objectContaining({
        reason: "Started",
        fieldPath: "spec.ephemeralContainers{debug}",
      }),
    );
  });

  test("sees its own processes without a target, and leaves a log", async () => {
    assign("alone", {}, [{ name: "debug", command: ["sh", "-c", "ps -o args; exit 3"] }]);
    const report = await agent.control.reported("alone", (one) =>
      addedIn(one).some(({ state }) => state.terminated !== undefined),
    );
    expect(addedIn(report)).toMatchObject([
      { restartCount: 0, state: { terminated: { exitCode: 3, reason: "Error" } } },
    ]);
    expect(statusIn(report)).toMatchObject({ phase: "Running" });
    const log = await agent.logs("alone", "debug");
    expect(log).toContain("ps -o args");
    expect(log).not.toContain("sleep 600");
  });

  test("is attached to: it reads what is typed, once", async () => {
    const shell = { name: "debug", command: ["sh"], stdin: true, stdinOnce: true };
    assign("typed", {}, [shell]);
    await agent.control.reported("typed", isRunning);
    expect(await agent.attach("typed", "debug", "echo typed $((40 + 2)); exit 0\n")).toEqual({
      output: "typed 42\n",
      exitCode: "0",
    });
    await agent.control.reported("typed", (one) =>
      addedIn(one).some(({ state }) => state.terminated?.exitCode === 0),
    );
  });

  test("is told of when its image cannot be had, and harms nothing", async () => {
    assign("bad", {}, [{ name: "debug", image: "berth.invalid/none:v1", command: ["true"] }]);
    const report = await agent.control.reported("bad", (one) =>
      addedIn(one).some(({ state }) => state.waiting?.reason === "ErrImagePull"),
    );
    expect(statusIn(report)).toMatchObject({ phase: "Running" });
  });

  test("joins a pod whose only container crashes, which then runs beside it", async () => {
    const crash = { command: ["sh", "-c", "exit 1"] };
    assign("crash", crash, []);
    await agent.control.reported(
      "crash",
      (one) => statusIn(one).containerStatuses[0]?.state.waiting?.reason === "CrashLoopBackOff",
    );
    assign("crash", crash, [sleeping]);
    const report = await agent.control.reported("crash", isRunning);
    const { podIP, containerStatuses } = statusIn(report);
    const { output } = await agent.exec("crash", "debug", ["ip", "-4", "addr"]);
    expect(output).toContain(`inet ${podIP}/`);
    const runs = containerStatuses[0]?.restartCount ?? 0;
    await agent.control.reported(
      "crash",
      (one) => (statusIn(one).containerStatuses[0]?.restartCount ?? 0) > runs,
    );
  });

  test("sees all processes of a pod that shares them, and a node's", async () => {
    assign("shared", { command: ["sleep", "601"] }, [sleeping], { shareProcessNamespace: true });
    await agent.control.reported("shared", isRunning);
    const { output } = await agent.exec("shared", "debug", ["ps", "-o", "args"]);
    expect(output).toContain("sleep 601");
    assign("host", {}, [], { hostPID: true, hostNetwork: true, hostIPC: true });
    await agent.control.reported("host", isReady);
    const all = await agent.exec("host", "main", ["ps", "-o", "args"]);
    expect(all.output).toContain("sleep 601");
  });

  test("is adopted by an agent that restarts, and ends with the pod", async () => {
    const web = (more: object = {}) =>
      anAssignment(
        "web",
        { image: agent.image, command: ["httpd", "-f", "-p", "8080", "-h", "/bin"] },
        { spec: { ephemeralContainers: [{ image: agent.image, ...sleeping }] }, ...more },
      );
    const [before] = agent.runtime.containers("uid-web").filter(isDebug);
    await agent.restart([web()]);
    await agent.control.reported("web", isRunning);
    expect(agent.runtime.containers("uid-web").filter(isDebug)).toMatchObject([
      { id: before?.id, attempt: 0 },
    ]);
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    agent.control.assign(web({ deletionTimestamp, deletionGracePeriodSeconds: 0 }));
    await agent.control.reported("web", ({ gone }) => gone);
    expect(agent.runtime.containers("uid-web")).toEqual([]);
  });
});

describe("a resize on Docker", () => {
  const sized = (cpu: string, memory: string) => ({
    resources: { requests: { cpu, memory }, limits: { cpu, memory } },
  });
  const inspected = async (pod: string) => {
    const [main] = agent.runtime.containers(`uid-${pod}`);
    return agent.docker.getContainer(main?.id ?? "").inspect();
  };
  const main = (report: PodReport) => statusIn(report).containerStatuses[0];
  const has = (report: PodReport, size: ReturnType<typeof sized>) =>
    isReady(report) &&
    JSON.stringify(main(report)?.resources) === JSON.stringify(size.resources) &&
    !statusIn(report).conditions.some(({ type }) => type === "PodResizeInProgress");

  test("gives a container that runs what it is to have, and tells of it", async () => {
    const [small, large] = [sized("100m", "32Mi"), sized("300m", "64Mi")];
    assign("grows", small, []);
    await agent.control.reported("grows", (one) => has(one, small));
    const before = await inspected("grows");
    assign("grows", large, []);
    const report = await agent.control.reported("grows", (one) => has(one, large));
    expect(main(report)).toMatchObject({
      restartCount: 0,
      allocatedResources: large.resources.requests,
    });
    const { Id, HostConfig } = await inspected("grows");
    expect(Id).toBe(before.Id);
    expect(HostConfig).toMatchObject({
      CpuShares: 307,
      CpuQuota: 30_000,
      CpuPeriod: 100_000,
      Memory: 2 ** 26,
      MemorySwap: 2 ** 26,
    });
    assign("grows", small, []);
    await agent.control.reported("grows", (one) => has(one, small));
    expect((await inspected("grows")).HostConfig).toMatchObject({ Memory: 2 ** 25 });
  });

  test("restarts a container whose policy asks for it", async () => {
    const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
    const [small, large] = [sized("100m", "32Mi"), sized("100m", "64Mi")];
    assign("policy", { ...small, resizePolicy }, []);
    await agent.control.reported("policy", (one) => has(one, small));
    assign("policy", { ...large, resizePolicy }, []);
    const report = await agent.control.reported(
      "policy",
      (one) => has(one, large) && main(one)?.restartCount === 1,
    );
    expect(statusIn(report).phase).toBe("Running");
    expect(agent.control.events).toContainEqual(
      expect.objectContaining({
        uid: "uid-policy",
        reason: "Killing",
        message: "Container main resize requires restart",
      }),
    );
  });

  test("does not take from a container what it uses", async () => {
    const script = "head -c 40000000 /dev/zero > /dev/shm/full; touch /tmp/full; sleep 600";
    const readinessProbe = { exec: { command: ["test", "-e", "/tmp/full"] }, periodSeconds: 1 };
    const eats = { command: ["sh", "-c", script], readinessProbe };
    assign("eats", { ...eats, ...sized("500m", "128Mi") }, []);
    await agent.control.reported("eats", isReady);
    assign("eats", { ...eats, ...sized("500m", "16Mi") }, []);
    const report = await agent.control.reported("eats", (one) =>
      statusIn(one).conditions.some(
        ({ type, ...more }) =>
          type === "PodResizeInProgress" && "reason" in more && more.reason === "Error",
      ),
    );
    expect(main(report)?.restartCount).toBe(0);
    expect((await inspected("eats")).HostConfig).toMatchObject({ Memory: 2 ** 27 });
  });

  test("is done by the agent that comes next, without a restart", async () => {
    const [small, large] = [sized("100m", "32Mi"), sized("200m", "48Mi")];
    const later = (size: object) =>
      anAssignment(
        "later",
        { image: agent.image, command: ["sleep", "600"], ...size },
        { spec: { terminationGracePeriodSeconds: 0 } },
      );
    agent.control.assign(later(small));
    await agent.control.reported("later", (one) => has(one, small));
    const before = await inspected("later");
    await agent.restart([later(large)]);
    await agent.control.reported("later", (one) => has(one, large));
    const after = await inspected("later");
    expect(after.Id).toBe(before.Id);
    expect(after.HostConfig).toMatchObject({ CpuQuota: 20_000, Memory: 48 * 2 ** 20 });
  });
});

const isDebug = ({ container }: { readonly container: string }) => container === "debug";
