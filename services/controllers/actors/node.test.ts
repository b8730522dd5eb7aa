import { describe, expect, test } from "vitest";
import { timeOf } from "../../../libs/model/time.ts";
import { aNode, aPod, start } from "../fixtures.ts";
import { decide, engineAnnotation, type World } from "./node.ts";
import { freePodRange } from "./node/pod-range.ts";
import { evictionAt, type Taint } from "./node/taints.ts";

const facts = {
  engineId: "e1",
  labels: { "kubernetes.io/hostname": "n1" },
  addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
  capacity: { cpu: "2" },
  allocatable: { cpu: "2" },
  nodeInfo: {},
};
const heard = (ageMs: number, problem?: string) => ({
  ageMs,
  boot: "b1",
  facts: { ...facts, ...(problem !== undefined && { problem }) },
});
const world = (change: Partial<World> = {}): World => ({
  observed: heard(100),
  judgeable: true,
  pods: [],
  freeRange: undefined,
  ...change,
});
const engine = {
  metadata: { annotations: { [engineAnnotation]: "e1" } },
  spec: { podCIDR: "10.244.0.0/24" },
};
const ours = aNode("n1", engine);
const readyOf = (decision: ReturnType<typeof decide>) =>
  decision.status?.conditions?.find(({ type }) => type === "Ready")?.status;
const taintsOf = ({ self }: ReturnType<typeof decide>) =>
  self?.op === "update"
    ? (self.object.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
    : undefined;
const tolerating = (seconds: number) =>
  aPod("web", {
    node: "n1",
    spec: {
      tolerations: [
        {
          key: "node.kubernetes.io/unreachable",
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: seconds,
        },
      ],
    },
  });

describe("a Node", () => {
  test("is ready, with what its agent says written down", () => {
    const decision = decide(aNode("n1", { status: {} }), world(), start);
    expect(readyOf(decision)).toBe("True");
    expect(decision.status?.allocatable).toEqual({ cpu: "2" });
    expect(decision.self).toMatchObject({
      object: { metadata: { annotations: { [engineAnnotation]: "e1" } } },
    });
  });

  test("gets the free range once", () => {
    const decision = decide(aNode("n1"), world({ freeRange: "10.244.3.0/24" }), start);
    expect(decision.self).toMatchObject({ object: { spec: { podCIDR: "10.244.3.0/24" } } });
    expect(decide(ours, world({ freeRange: "10.244.3.0/24" }), start).self).not.toMatchObject({
      object: { spec: { podCIDR: "10.244.3.0/24" } },
    });
  });

  test("is not ready while its agent has a problem", () => {
    const decision = decide(ours, world({ observed: heard(100, "no bridge") }), start);
    expect(readyOf(decision)).toBe("False");
    expect(taintsOf(decision)).toContain("node.kubernetes.io/not-ready:NoExecute");
  });

  test("is unreachable after four seconds of silence, and evicts what has borne that for its time", () => {
    const silent = world({ observed: heard(4_001), pods: [tolerating(2)] });
    const decision = decide(ours, silent, start);
    expect(readyOf(decision)).toBe("Unknown");
    expect(taintsOf(decision)).toContain("node.kubernetes.io/unreachable:NoExecute");
    expect(decision.writes).toEqual([]);
    expect(decision.wakeAt).toBe(start + 2_000);
    const tainted =
      decision.self?.op === "update" ? { ...decision.self.object, status: decision.status } : ours;
    expect(decide(tainted, silent, start + 2_000).writes).toMatchObject([{ op: "delete" }]);
  });

  test("is neither judged nor emptied by an instance that may not judge silence (N4)", () => {
    const taint = {
      key: "node.kubernetes.io/unreachable",
      effect: "NoExecute",
      timeAdded: timeOf(start - 60_000),
    };
    const silent = world({ observed: undefined, judgeable: false, pods: [tolerating(2)] });
    const status = {
      conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime: timeOf(start) }],
    };
    const decision = decide(
      aNode("n1", { ...engine, spec: { taints: [taint] }, status }),
      silent,
      start,
    );
    expect(decision.writes).toEqual([]);
    expect(readyOf(decide(ours, silent, start))).toBe("True");
    expect(decision.wakeAt).toBe(start + 500);
  });

  test("loses its taints when it is heard again", () => {
    const status = {
      conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime: timeOf(start) }],
    };
    const taints = [
      { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
      { key: "mine", effect: "NoSchedule" },
    ];
    const decision = decide(aNode("n1", { ...engine, spec: { taints }, status }), world(), start);
    expect(taintsOf(decision)).toEqual(["mine:NoSchedule"]);
  });

  test("rests while nothing changes", () => {
    const first = decide(ours, world(), start);
    const written = first.self?.op === "update" ? first.self.object : ours;
    const again = decide({ ...written, status: first.status }, world(), start + 10_000);
    expect(again.self).toBeUndefined();
    expect(again.status).toBe(first.status);
  });

  test("without an agent of ours has Kubernetes' own grace of 40 s", () => {
    const foreign = aNode("n1", {
      status: { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: timeOf(start) }] },
    });
    const silent = world({ observed: undefined });
    expect(readyOf(decide(foreign, silent, start + 40_000))).toBe("True");
    expect(readyOf(decide(foreign, silent, start + 40_001))).toBe("Unknown");
  });
});

describe("an eviction", () => {
  const taint: Taint = { key: "k", value: "v", effect: "NoExecute", timeAdded: timeOf(start) };
  const pod = (...tolerations: object[]) => aPod("p", { node: "n1", spec: { tolerations } });
  test.each([
    { name: "is at once where nothing tolerates", one: pod(), at: start + 9 },
    { name: "never comes where it is tolerated", one: pod({ operator: "Exists" }), at: undefined },
    {
      name: "waits for the shortest time",
      one: pod(
        { key: "k", value: "v", effect: "NoExecute", tolerationSeconds: 5 },
        { operator: "Exists", effect: "NoExecute", tolerationSeconds: 9 },
      ),
      at: start + 5_000,
    },
    { name: "does not mind another value", one: pod({ key: "k", value: "w" }), at: start + 9 },
  ])("$name", ({ one, at }) => {
    expect(evictionAt(one, [taint], start + 9)).toBe(at);
  });
});

describe("a free pod range", () => {
  const taken = new Set<string>();
  const isTaken = (range: string) => taken.has(range);
  test("is one that no node has, from where the node's name says", () => {
    const first = freePodRange("10.244.0.0/16", "n1", isTaken);
    expect(first).toMatch(/^10\.244\.\d+\.0\/24$/);
    taken.add(first ?? "");
    expect(freePodRange("10.244.0.0/16", "n1", isTaken)).not.toBe(first);
    expect(freePodRange("10.244.0.0/16", "n2", isTaken)).not.toBe(first);
  });

  test("is found as long as there is one", () => {
    const all = new Set<string>();
    for (let nth = 0; nth < 256; nth += 1) {
      all.add(freePodRange("10.244.0.0/16", `n${nth}`, (range) => all.has(range)) ?? "none");
    }
    expect(all.size).toBe(256);
    expect(all.has("none")).toBe(false);
    expect(freePodRange("10.244.0.0/16", "n", (range) => all.has(range))).toBeUndefined();
  });
});
