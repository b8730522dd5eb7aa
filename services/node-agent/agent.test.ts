import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { runAgent } from "./agent.ts";
import {
  anAssignment,
  type FakeControl,
  fakeControl,
  nodeFacts,
  podCIDR,
  statusIn,
} from "./agent-fixture.ts";
import { type HollowRuntime, hollowRuntime } from "./runtime/hollow.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };

describe("an agent", () => {
  let dataDir = "";
  let bus: Bus;
  let control: FakeControl;
  let runtime: HollowRuntime;
  let stop: AbortController;
  let running: Promise<void>;
  let accepted = 0;

  const begin = () => {
    stop = new AbortController();
    running = runAgent({
      node: "n1",
      connect: async () => bus,
      runtime,
      openNetwork: async () => ({
        name: "hollow",
        repair: async () => {},
        hairpin: async () => {},
      }),
      facts: nodeFacts,
      dataDir,
      drains: true,
      onAccepted: () => void (accepted += 1),
      signal: stop.signal,
      ...ports,
    });
  };

  beforeEach(async () => {
    accepted = 0;
    dataDir = await mkdtemp(join(tmpdir(), "berth-agent-"));
    bus = memoryBus(ports);
    control = await fakeControl(bus, "n1");
    runtime = hollowRuntime({ ...ports, missingImages: new Set(["absent:v1"]) });
    begin();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Another agent process takes over this machine, under a control plane that assigns these. */
  async function restart(
    assignments: Parameters<FakeControl["assign"]>[0][],
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    stop.abort();
    await running;
    bus = memoryBus(ports);
    control = await fakeControl(bus, "n1");
    for (const one of assignments) control.assign(one);
    await meanwhile();
    begin();
  }

  /** Looks until it holds; the runtime's changes and heartbeats come by themselves. */
  async function eventually(holds: () => boolean): Promise<void> {
    while (!holds()) await ports.clock.sleep(10);
  }

  type Report = Parameters<typeof statusIn>[0];
  const restarts = (report: Report) => statusIn(report).containerStatuses[0]?.restartCount;
  const imagesOf = (uid: string) =>
    runtime
      .containers(uid)
      .filter(({ state }) => state === "running")
      .map(({ image }) => image);

  const ready = {
    name: "Ready",
    holds: (report: Parameters<typeof statusIn>[0]) =>
      statusIn(report).conditions.some(({ type, status }) => type === "Ready" && status === "True"),
  };

  test("says that the control plane has accepted it, once it has its network", async () => {
    await vi.waitFor(() => expect(accepted).toBeGreaterThan(0), { timeout: 10_000 });
  });

  test("runs what it is assigned and reports it ready", async () => {
    control.assign(anAssignment("web", {}));
    const status = statusIn(await control.reported("web", ready.holds));
    expect(status).toMatchObject({ phase: "Running", podIP: podCIDR.replace("0/24", "2") });
  });

  test("asks before it ends a pod, and reports it gone", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    control.assign(
      anAssignment(
        "web",
        {},
        { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 },
      ),
    );
    const report = await control.reported("web", ({ gone }) => gone);
    expect(statusIn(report).phase).toBe("Failed");
    expect(control.questions).toEqual(["uid-web"]);
    expect(runtime.containers()).toEqual([]);
  });

  test("restarts a container that ended, and counts it", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    runtime.exit(runtime.containers()[0]?.id ?? "", 1);
    const report = await control.reported(
      "web",
      (one) => statusIn(one).containerStatuses[0]?.restartCount === 1 && ready.holds(one),
    );
    expect(statusIn(report).phase).toBe("Running");
  });

  test("says that a ConfigMap is missing, and starts when it appears", async () => {
    const envFrom = [{ configMapRef: { name: "settings" } }];
    control.assign(anAssignment("web", { envFrom }));
    await control.reported(
      "web",
      (one) =>
        statusIn(one).containerStatuses[0]?.state.waiting?.reason === "CreateContainerConfigError",
    );
    control.configs.set("ConfigMap/settings", { COLOR: "blue" });
    await control.reported("web", ready.holds);
    expect([...runtime.specs.values()][0]?.env).toContain("COLOR=blue");
  });

  test("says that a claim is not bound, and starts on its volume when it is", async () => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    const volumeMounts = [{ name: "data", mountPath: "/data" }];
    control.assign(anAssignment("db", { volumeMounts }, { spec: { volumes } }));
    await eventually(() => control.events.some(({ reason }) => reason === "FailedMount"));
    const said = control.events.find(({ reason }) => reason === "FailedMount");
    expect(said?.message).toBe('MountVolume.SetUp failed for volume "data" : it is not bound');
    await control.reported(
      "db",
      (one) => statusIn(one).containerStatuses[0]?.state.waiting?.reason === "ContainerCreating",
    );
    const path = join(dataDir, "volumes/pvc-1");
    control.claims.set("data", { name: "pvc-1", path, type: "DirectoryOrCreate", makes: true });
    control.changed({ kind: "PersistentVolumeClaim", namespace: "default", name: "data" });
    await control.reported("db", ready.holds);
    const mounts = [...runtime.specs.values()][0]?.mounts;
    expect(mounts).toContainEqual({ kind: "bind", source: path, target: "/data", readOnly: false });
    expect((await stat(path)).mode & 0o777).toBe(0o777);
  });

  test("says nothing of a claim that is bound a moment later", async () => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    control.pendingOnce.add("data");
    control.assign(anAssignment("db", {}, { spec: { volumes } }));
    await eventually(() => control.pendingOnce.size === 0);
    const path = join(dataDir, "volumes/pvc-1");
    control.claims.set("data", { name: "pvc-1", path, type: "DirectoryOrCreate", makes: true });
    control.changed({ kind: "PersistentVolumeClaim", namespace: "default", name: "data" });
    await control.reported("db", ready.holds);
    expect(control.events.map(({ reason }) => reason)).not.toContain("FailedMount");
  });

  test("removes the directory of a volume that nobody has, and says so", async () => {
    await mkdir(join(dataDir, "volumes/pvc-1/deep"), { recursive: true });
    await mkdir(join(dataDir, "volumes/pvc-2"));
    control.unclaimed.add("pvc-1");
    control.unclaimed.add("pvc-never-made");
    await eventually(() => control.unclaimed.size === 0);
    expect(await readdir(join(dataDir, "volumes"))).toEqual(["pvc-2"]);
  });

  test("says that an image may not be pulled", async () => {
    control.assign(anAssignment("web", { image: "absent:v1", imagePullPolicy: "Never" }));
    await control.reported(
      "web",
      (one) => statusIn(one).containerStatuses[0]?.state.waiting?.reason === "ErrImageNeverPull",
    );
    expect(control.events.map(({ reason }) => reason)).toContain("Failed");
  });

  test("adopts what runs when it starts again, and removes what nobody knows", async () => {
    control.assign(anAssignment("web", {}));
    control.assign(anAssignment("old", {}));
    await control.reported("web", ready.holds);
    await control.reported("old", ready.holds);
    const kept = runtime.containers("uid-web")[0]?.id;
    const emptied = new Promise<void>((resolve) => {
      runtime.onChange(() => runtime.containers("uid-old").length === 0 && resolve());
    });
    await restart([anAssignment("web", {})]);
    await control.reported("web", ready.holds);
    await emptied;
    expect(runtime.containers().map(({ id }) => id)).toEqual([kept]);
  });

  test("does not call unready what it adopts, while its probes have not judged it", async () => {
    // Its verdict takes three probes, a second: time enough to tell of the pod without it.
    const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 1, successThreshold: 3 };
    control.assign(anAssignment("web", { readinessProbe }));
    await control.reported("web", ready.holds);
    await restart([anAssignment("web", { readinessProbe })]);
    await control.reported("web", ready.holds);
    expect(control.reports.filter((one) => !ready.holds(one))).toEqual([]);
  });

  test("calls unready what it adopts, once its probes have failed", async () => {
    const readinessProbe = { tcpSocket: { port: 1, host: "127.0.0.1" }, failureThreshold: 1 };
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    await restart([anAssignment("web", { readinessProbe })]);
    const report = await control.reported("web", (one) => !ready.holds(one));
    expect(statusIn(report)).toMatchObject({
      phase: "Running",
      podIP: podCIDR.replace("0/24", "2"),
    });
  });

  test("replaces a container whose image was changed, in place, and counts it", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    control.assign(anAssignment("web", { image: "berth/hello:v2" }));
    const report = await control.reported("web", (one) => ready.holds(one) && restarts(one) === 1);
    expect(report.uid).toBe("uid-web");
    expect(imagesOf("uid-web")).toContain("berth/hello:v2");
    expect(control.events).toContainEqual(
      expect.objectContaining({
        reason: "Killing",
        message: "Container main definition changed, will be restarted",
        fieldPath: "spec.containers{main}",
      }),
    );
  });

  test("replaces what it adopts where the assignment has changed meanwhile", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    await restart([anAssignment("web", { image: "berth/hello:v2" })]);
    await control.reported("web", (one) => ready.holds(one) && restarts(one) === 1);
    expect(imagesOf("uid-web")).toContain("berth/hello:v2");
  });

  test("counts on after a container was lost, also one that was lost while no agent ran", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    await Promise.all(runtime.containers("uid-web").map(({ id }) => runtime.remove(id)));
    await control.reported("web", (one) => ready.holds(one) && restarts(one) === 1);
    await restart([anAssignment("web", {})], async () => {
      await Promise.all(runtime.containers("uid-web").map(({ id }) => runtime.remove(id)));
    });
    await control.reported("web", (one) => ready.holds(one) && restarts(one) === 2);
    expect(runtime.containers("uid-web")).toMatchObject([{ attempt: 2, state: "running" }]);
  });

  test("tries a changed image at once, whatever the old one waits for", async () => {
    control.assign(anAssignment("web", { image: "absent:v1", imagePullPolicy: "Never" }));
    await control.reported(
      "web",
      (one) => statusIn(one).containerStatuses[0]?.state.waiting?.reason === "ErrImageNeverPull",
    );
    control.assign(anAssignment("web", { image: "berth/hello:v1", imagePullPolicy: "Never" }));
    await control.reported("web", ready.holds);
    expect(imagesOf("uid-web")).toEqual(["berth/hello:v1"]);
  });

  test("removes what holds a host port of its, and whose pod nobody knows (N5)", async () => {
    const ports = [{ containerPort: 80, hostPort: 18_080 }];
    control.assign(anAssignment("old", { ports }));
    await control.reported("old", ready.holds);
    await restart([anAssignment("new", { ports })]);
    await control.reported("new", ready.holds);
    expect(runtime.containers().map(({ uid }) => uid)).toEqual(["uid-new"]);
  });

  test("does nothing under a name that another agent has, until it gets it (N5)", async () => {
    await restart([anAssignment("web", {})], async () => control.answer({ refusedFor: "e2" }));
    await eventually(() => control.heartbeats() >= 2);
    expect(runtime.containers()).toEqual([]);
    control.answer("accepted");
    await control.reported("web", ready.holds);
  });

  test("ends what it runs once an agent on another engine has its name (N5)", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    control.answer({ refusedFor: "e2" });
    await eventually(() => runtime.containers().length === 0);
    expect(control.reports.filter(({ gone }) => gone)).toEqual([]); // They run on, elsewhere.
  });

  test.each([nodeFacts.engineId, undefined])(
    "leaves what runs to its successor on its engine, and while it is not sure (N5): %s",
    async (refusedFor) => {
      control.assign(anAssignment("web", {}));
      await control.reported("web", ready.holds);
      control.answer({ refusedFor });
      const before = control.heartbeats();
      await eventually(() => control.heartbeats() >= before + 2);
      runtime.exit(runtime.containers()[0]?.id ?? "", 1);
      await eventually(() => control.heartbeats() >= before + 4);
      expect(runtime.containers()).toMatchObject([{ state: "exited", attempt: 0 }]);
      control.answer("accepted");
      await control.reported("web", (one) => ready.holds(one) && restarts(one) === 1);
    },
  );

  test("runs a sidecar beside its container and ends it once the work is done", async () => {
    const spec = {
      restartPolicy: "Never",
      initContainers: [
        { name: "proxy", image: "berth/hello:v1", restartPolicy: "Always" },
        { name: "setup", image: "berth/hello:v1" },
      ],
    };
    control.assign(anAssignment("job", {}, { spec }));
    const runs = (name: string) =>
      runtime
        .containers("uid-job")
        .find((one) => one.container === name && one.state === "running");
    await eventually(() => runs("setup") !== undefined);
    expect(runs("proxy")).toBeDefined();
    expect(runs("main")).toBeUndefined();
    runtime.exit(runs("setup")?.id ?? "", 0);
    await control.reported("job", ready.holds);
    runtime.exit(runs("main")?.id ?? "", 0);
    await control.reported("job", (one) => statusIn(one).phase === "Succeeded");
    expect(runs("proxy")).toBeUndefined();
  });

  test("ends a pod that the control plane has forgotten", async () => {
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    const emptied = new Promise<void>((resolve) => {
      runtime.onChange(() => runtime.containers().length === 0 && resolve());
    });
    control.unassign("web");
    await emptied;
    expect(control.questions).toEqual([]);
  });

  test("starts several containers in the namespace of a sandbox", async () => {
    const containers = [
      { name: "a", image: "x" },
      { name: "b", image: "x" },
    ];
    control.assign(anAssignment("two", {}, { spec: { containers } }));
    await control.reported("two", ready.holds);
    const modes = [...runtime.specs.values()].map(({ network }) => network.mode);
    expect(modes.toSorted()).toEqual(["join", "join", "pod"]);
  });
});
