import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
      signal: stop.signal,
      ...ports,
    });
  };

  beforeEach(async () => {
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

  const ready = {
    name: "Ready",
    holds: (report: Parameters<typeof statusIn>[0]) =>
      statusIn(report).conditions.some(({ type, status }) => type === "Ready" && status === "True"),
  };

  test("runs what it is assigned and reports it ready", async () => {
    control.assign(anAssignment("web", {}));
    const status = statusIn(await control.reported("web", ready.holds));
    expect(status).toMatchObject({ phase: "Running", podIP: "10.231.7.2" });
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
    stop.abort();
    await running;
    bus = memoryBus(ports);
    control = await fakeControl(bus, "n1");
    control.assign(anAssignment("web", {}));
    const emptied = new Promise<void>((resolve) => {
      runtime.onChange(() => runtime.containers("uid-old").length === 0 && resolve());
    });
    begin();
    await control.reported("web", ready.holds);
    await emptied;
    expect(runtime.containers().map(({ id }) => id)).toEqual([kept]);
  });

  test("does not call unready what it adopts, while its probes have not judged it", async () => {
    // Its verdict takes three probes, a second: time enough to tell of the pod without it.
    const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 1, successThreshold: 3 };
    control.assign(anAssignment("web", { readinessProbe }));
    await control.reported("web", ready.holds);
    stop.abort();
    await running;
    bus = memoryBus(ports);
    control = await fakeControl(bus, "n1");
    control.assign(anAssignment("web", { readinessProbe }));
    begin();
    await control.reported("web", ready.holds);
    expect(control.reports.filter((one) => !ready.holds(one))).toEqual([]);
  });

  test("calls unready what it adopts, once its probes have failed", async () => {
    const readinessProbe = { tcpSocket: { port: 1, host: "127.0.0.1" }, failureThreshold: 1 };
    control.assign(anAssignment("web", {}));
    await control.reported("web", ready.holds);
    stop.abort();
    await running;
    bus = memoryBus(ports);
    control = await fakeControl(bus, "n1");
    control.assign(anAssignment("web", { readinessProbe }));
    begin();
    const report = await control.reported("web", (one) => !ready.holds(one));
    expect(statusIn(report)).toMatchObject({ phase: "Running", podIP: "10.231.7.2" });
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
