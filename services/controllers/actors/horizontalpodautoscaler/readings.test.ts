import { describe, expect, test } from "vitest";
import type { ContainerUsage } from "../../../../libs/protocol/usage.ts";
import { parse } from "../../../../libs/model/errors.ts";
import { pod as podKind, type Pod } from "../../../../libs/model/kinds/pod.ts";
import { anAutoscaler } from "../../autoscaler-fixture.ts";
import { aPod, start } from "../../fixtures.ts";
import type { Measured, Reading } from "../../measurements.ts";
import { judge } from "./metrics.ts";
import { readingOf } from "./readings.ts";
import { requestsOf } from "./requests.ts";

const now = start + 3_600_000;
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const statusOf = (name: string) => ({
  name,
  ready: true,
  restartCount: 0,
  image: "web:v1",
  imageID: "",
  state: running,
});

/** Of containers `web` and `side`, which both run. */
function podNamed(name: string): Pod {
  const made = aPod(name, { node: "n1", readySinceMs: start });
  const status = { ...made.status, containerStatuses: [statusOf("web"), statusOf("side")] };
  return parse(podKind, { ...made, status });
}
const pods = [podNamed("a"), podNamed("b")];

const used = (name: string, cpuNanoCores: number, memoryBytes = 1_000): ContainerUsage => ({
  name,
  cpuNanoCores,
  windowMs: 4_000,
  memoryBytes,
});

type Given = {
  /** By pod. */
  readonly usage?: Readonly<Record<string, readonly ContainerUsage[]>>;
  readonly heardForMs?: number;
  readonly reading?: Reading;
};
function measuredOf({ usage = {}, heardForMs = 60_000, reading }: Given): Measured {
  const none: Reading = { known: false, why: "gone" };
  return {
    usage: {
      pod: (node, uid) => {
        const containers = node === "n1" ? usage[uid.replace("uid-", "")] : undefined;
        return containers && { ageMs: 500, containers };
      },
      node: () => undefined,
    },
    values: {
      external: () => reading ?? none,
      object: () => reading ?? none,
      pods: () =>
        reading?.known === true
          ? { known: true, byPod: new Map([["a", reading]]) }
          : (reading ?? none),
    },
    heardForMs: () => heardForMs,
  };
}

const target = { type: "Utilization", averageUtilization: 50 };
const average = { type: "AverageValue", averageValue: "10" };
const specs = {
  cpu: { type: "Resource", resource: { name: "cpu", target } },
  memory: { type: "Resource", resource: { name: "memory", target } },
  disk: { type: "Resource", resource: { name: "ephemeral-storage", target } },
  side: {
    type: "ContainerResource",
    containerResource: { name: "cpu", container: "side", target },
  },
  lag: { type: "External", external: { metric: { name: "lag" }, target: average } },
  hits: {
    type: "Object",
    object: {
      metric: { name: "hits" },
      target: average,
      describedObject: { kind: "Service", name: "web" },
    },
  },
  each: { type: "Pods", pods: { metric: { name: "each" }, target: average } },
} as const;

const specOf = (name: keyof typeof specs) =>
  anAutoscaler({ metrics: [specs[name]] }).spec.metrics[0] ?? expect.unreachable();
const read = (name: keyof typeof specs, given: Given) => {
  const around = {
    measured: measuredOf(given),
    namespace: "default",
    asker: "default/web",
    pods,
    now,
  };
  return readingOf(specOf(name), around);
};
const whole = {
  a: [used("web", 2.5e8), used("side", 1.5e6)],
  b: [used("web", 1e9), used("side", 0)],
};

describe("what is known of a metric", () => {
  test("a pod's CPU is its containers', in thousandths, rounded up each", () => {
    const reading = read("cpu", { usage: whole });
    expect(reading).toEqual({
      of: "pods",
      metrics: new Map([
        ["a", { milli: 252, at: now - 500, windowMs: 4_000 }],
        ["b", { milli: 1_000, at: now - 500, windowMs: 4_000 }],
      ]),
    });
  });

  test("memory is in thousandths of bytes", () => {
    const reading = read("memory", { usage: whole });
    expect(reading.of === "pods" && reading.metrics.get("a")?.milli).toBe(2_000_000);
  });

  test("one container's is its own alone", () => {
    const reading = read("side", { usage: whole });
    expect(reading.of === "pods" && reading.metrics.get("a")?.milli).toBe(2);
  });

  test("a pod of which half is known is not known", () => {
    const reading = read("cpu", { usage: { ...whole, a: [used("web", 1e9)] } });
    expect(reading.of === "pods" && [...reading.metrics.keys()]).toEqual(["b"]);
  });

  test("an instance that has just begun to listen knows nothing of what it lacks (N1)", () => {
    expect(read("cpu", { usage: { b: whole.b }, heardForMs: 5_999 })).toEqual({ of: "unknown" });
    expect(read("cpu", { usage: whole, heardForMs: 0 }).of).toBe("pods");
    expect(read("cpu", { heardForMs: 6_000 })).toMatchObject({ of: "none" });
  });

  test("a resource that nobody measures is none", () => {
    expect(read("disk", { usage: whole })).toEqual({
      of: "none",
      why: "unable to get metrics for resource ephemeral-storage: no metrics returned from resource metrics API",
    });
  });

  test.each(["lag", "hits"] as const)("%s is a whole, none, or not known yet", (name) => {
    expect(read(name, { reading: { known: true, milli: 5, ageMs: 1 } })).toEqual({
      of: "whole",
      milli: 5,
    });
    expect(read(name, { reading: { known: true, milli: 5, ageMs: 15_001 } }).of).toBe("none");
    expect(read(name, {})).toEqual({ of: "none", why: "gone" });
    expect(read(name, { reading: { known: false, why: undefined } })).toEqual({ of: "unknown" });
  });

  test("a metric of pods is by pod", () => {
    const reading = read("each", { reading: { known: true, milli: 7, ageMs: 2 } });
    expect(reading).toEqual({
      of: "pods",
      metrics: new Map([["a", { milli: 7, at: now - 2, windowMs: 0 }]]),
    });
    expect(read("each", {}).of).toBe("none");
  });
});

describe("what pods request", () => {
  const requesting = (
    name: string,
    containers: readonly object[],
    initContainers: readonly object[] = [],
  ) => {
    const base = { image: "web:v1" };
    const spec = {
      containers: containers.map((one) => ({ ...base, ...one })),
      initContainers: initContainers.map((one) => ({ ...base, ...one })),
    };
    return aPod(name, { spec });
  };
  const web = { name: "web", resources: { requests: { cpu: "250m" } } };
  const side = { name: "side", resources: { requests: { cpu: "0.1" } } };

  test("is the sum of containers and sidecars, or one container's", () => {
    const sidecar = { ...side, restartPolicy: "Always" };
    const init = { name: "init" };
    const all = [requesting("a", [web], [sidecar, init]), requesting("b", [web, side])];
    expect(requestsOf(all, "cpu", undefined)).toEqual(
      new Map([
        ["a", 350],
        ["b", 350],
      ]),
    );
    expect(requestsOf(all, "cpu", "web")).toEqual(
      new Map([
        ["a", 250],
        ["b", 250],
      ]),
    );
  });

  test("is not there where a container that counts requests nothing", () => {
    const all = [requesting("a", [web, { name: "side" }])];
    expect(requestsOf(all, "cpu", undefined)).toBe(
      "missing request for cpu in container side of Pod a",
    );
    expect(requestsOf(all, "cpu", "web")).toEqual(new Map([["a", 250]]));
  });
});

describe("what a metric comes to is told", () => {
  const facts = { current: 2, existing: 2, pods, tolerances: { up: 0.1, down: 0.1 }, now };
  const known = { known: true, milli: 40_000, ageMs: 1 } as const;

  test.each<readonly [keyof typeof specs, Given, object]>([
    [
      "lag",
      { reading: known },
      {
        replicas: 4,
        name: "external metric lag(nil)",
        status: { external: { metric: { name: "lag" }, current: { averageValue: "20" } } },
      },
    ],
    [
      "hits",
      { reading: known },
      {
        replicas: 4,
        name: "Service metric hits",
        status: { object: { current: { averageValue: "20" } } },
      },
    ],
    [
      "each",
      { reading: known },
      { ok: true, name: "pods metric each", status: { pods: { current: { averageValue: "40" } } } },
    ],
    [
      "lag",
      {},
      {
        ok: false,
        reason: "FailedGetExternalMetric",
        error: "failed to get lag external metric: gone",
      },
    ],
    ["hits", {}, { ok: false, reason: "FailedGetObjectMetric" }],
    ["each", {}, { ok: false, reason: "FailedGetPodsMetric" }],
    ["side", { usage: whole }, { ok: false, reason: "FailedGetContainerResourceMetric" }],
    [
      "cpu",
      { usage: whole },
      {
        ok: false,
        reason: "FailedGetResourceMetric",
        error: expect.stringContaining("failed to get cpu utilization: missing request"),
      },
    ],
  ])("%s", (name, given, expected) => {
    expect(judge(specOf(name), read(name, given), facts)).toMatchObject(expected);
  });
});
