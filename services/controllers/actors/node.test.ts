import { describe, expect, test } from "vitest";
import { node } from "../../../libs/model/kinds/node.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { aNode, aPod, start } from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { decide, engineAnnotation, nodes, type World } from "./node.ts";
import { freePodRange } from "./node/pod-range.ts";

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
  kept: undefined,
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
const unreachableNoExecute = "node.kubernetes.io/unreachable:NoExecute";
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

  test("shows the images of its machine, and those as long as it does not say others", () => {
    const images = [{ names: ["web:v1"], sizeBytes: 7 }];
    const said = world({ observed: { ...heard(100), facts: { ...facts, images } } });
    const shown = decide(ours, said, start).status;
    expect(shown?.images).toEqual(images);
    const again = decide(aNode("n1", { ...engine, status: { ...shown } }), world(), start);
    expect(again.status?.images).toEqual(images);
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
    expect(taintsOf(decision)).toContain(unreachableNoExecute);
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

  test("keeps its conditions in their places", () => {
    const conditions = [
      { type: "Ready", status: "Unknown" },
      { type: "MemoryPressure", status: "False" },
    ];
    const decision = decide(aNode("n1", { ...engine, status: { conditions } }), world(), start);
    expect(decision.status?.conditions?.map(({ type }) => type)).toEqual([
      "Ready",
      "MemoryPressure",
    ]);
  });
});

describe("a Node without an agent of ours", () => {
  const unreachable = ["node.kubernetes.io/unreachable:NoSchedule", unreachableNoExecute];
  const says = (status: string, rest: object = {}) => ({
    status: { conditions: [{ type: "Ready", status, lastHeartbeatTime: timeOf(start), ...rest }] },
  });
  const seen = (silentMs: number, aloneMs = silentMs) =>
    world({
      observed: undefined,
      judgeable: false,
      kept: { silentMs, aloneMs },
      pods: [aPod("web", { node: "n1" })],
    });
  const tainted = (change: object, key = "node.kubernetes.io/unreachable") => ({
    ...change,
    spec: {
      taints: [
        { key, effect: "NoSchedule" },
        { key, effect: "NoExecute", timeAdded: timeOf(start - 60_000) },
      ],
    },
  });
  const silent = says("Unknown", { reason: "NodeStatusUnknown" });
  const bare = { status: {} };
  const notReady = ["node.kubernetes.io/not-ready:NoSchedule"];
  const notReadyNow = [...notReady, "node.kubernetes.io/not-ready:NoExecute"];
  type Case = {
    readonly name: string;
    readonly node: object;
    readonly kept: World;
    /** Ready, and its taints when they change. */
    readonly ready: string | undefined;
    readonly taints?: readonly string[];
    readonly evicts?: boolean;
    readonly wakesInMs?: number;
  };

  test.each<Case>([
    {
      name: "is what it says while it is heard",
      node: says("True"),
      kept: seen(10_000),
      ready: "True",
      wakesInMs: 30_001,
    },
    { name: "has 40 s", node: says("True"), kept: seen(40_000), ready: "True", wakesInMs: 1 },
    {
      name: "is unreachable after 40 s, and emptied",
      node: says("True"),
      kept: seen(40_001),
      ready: "Unknown",
      taints: unreachable,
      evicts: true,
    },
    {
      name: "is unreachable, and keeps its pods, when most such nodes are silent (N4)",
      node: says("True"),
      kept: seen(40_001, 0),
      ready: "Unknown",
      taints: unreachable,
      wakesInMs: 40_001,
    },
    {
      name: "keeps its pods until most were heard for the whole grace (N4)",
      node: says("True"),
      kept: seen(90_000, 40_000),
      ready: "Unknown",
      taints: unreachable,
      wakesInMs: 1,
    },
    {
      name: "is emptied once that is so",
      node: tainted(silent),
      kept: seen(90_001, 40_001),
      ready: "Unknown",
      evicts: true,
    },
    {
      name: "keeps its pods after a takeover until the new instance has judged (N4)",
      node: tainted(silent),
      kept: seen(0),
      ready: "Unknown",
      wakesInMs: 40_001,
    },
    {
      name: "keeps its pods while its Lease is renewed, whatever its status still says",
      node: tainted(silent),
      kept: seen(9_000),
      ready: "Unknown",
      wakesInMs: 31_001,
    },
    {
      name: "is left as it is where nobody watches (N1)",
      node: tainted(silent),
      kept: world({ observed: undefined, pods: [aPod("web", { node: "n1" })] }),
      ready: "Unknown",
    },
    {
      name: "that was ready long ago by its own clock is judged by what was seen (O8)",
      node: says("True", { lastHeartbeatTime: timeOf(start - 86_400_000) }),
      kept: seen(1_000),
      ready: "True",
      wakesInMs: 39_001,
    },
    {
      name: "that was ready in the future by its own clock is judged by what was seen (O8)",
      node: says("True", { lastHeartbeatTime: timeOf(start + 86_400_000) }),
      kept: seen(40_001),
      ready: "Unknown",
      taints: unreachable,
      evicts: true,
    },
    {
      name: "is tainted when it says that it is not ready, and emptied",
      node: says("False"),
      kept: seen(1_000),
      ready: "False",
      taints: notReadyNow,
      evicts: true,
      wakesInMs: 39_001,
    },
    {
      name: "that was not ready and falls silent is unreachable instead",
      node: tainted(says("False"), "node.kubernetes.io/not-ready"),
      kept: seen(40_001, 0),
      ready: "Unknown",
      taints: unreachable,
      wakesInMs: 40_001,
    },
    {
      name: "loses its taints when it says that it is ready again",
      node: tainted(says("True")),
      kept: seen(0),
      ready: "True",
      taints: [],
      wakesInMs: 40_001,
    },
    {
      name: "that never said anything takes no pods",
      node: bare,
      kept: seen(60_000),
      ready: undefined,
      taints: notReady,
      wakesInMs: 1,
    },
    {
      name: "that never said anything is unreachable after a minute",
      node: bare,
      kept: seen(60_001),
      ready: "Unknown",
      taints: unreachable,
      evicts: true,
    },
  ])("$name", ({ node, kept, ready, taints, evicts = false, wakesInMs }) => {
    const decision = decide(aNode("n1", node), kept, start);
    expect(readyOf(decision)).toBe(ready);
    expect(taintsOf(decision)).toEqual(taints);
    expect(decision.writes.map(({ op }) => op)).toEqual(evicts ? ["delete"] : []);
    expect(decision.wakeAt).toBe(wakesInMs === undefined ? undefined : start + wakesInMs);
  });

  test("has every condition of a kubelet unknown when it is silent, and only those", () => {
    const conditions = [
      { type: "MemoryPressure", status: "True", reason: "Full", lastHeartbeatTime: timeOf(start) },
      { type: "NetworkUnavailable", status: "False" },
      { type: "Ready", status: "True", lastHeartbeatTime: timeOf(start) },
      { type: "PIDPressure", status: "Unknown", reason: "Mine" },
    ];
    const later = start + 41_000;
    const self = aNode("n1", { status: { conditions } });
    const decision = decide(self, seen(40_001), later);
    const stopped = {
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastHeartbeatTime: timeOf(start),
      lastTransitionTime: timeOf(later),
    };
    expect(decision.status?.conditions).toEqual([
      { type: "MemoryPressure", ...stopped },
      { type: "NetworkUnavailable", status: "False" },
      { type: "Ready", ...stopped },
      { type: "PIDPressure", status: "Unknown", reason: "Mine" },
      {
        type: "DiskPressure",
        status: "Unknown",
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
        lastHeartbeatTime: timeOf(start), // When the Node was made.
        lastTransitionTime: timeOf(later),
      },
    ]);
    const written = { ...self, status: decision.status };
    expect(decide(written, seen(80_000), later + 40_000).status).toBe(decision.status);
  });

  test("writes nothing when its Lease was renewed", () => {
    const self = aNode("n1", says("True"));
    const decision = decide(self, seen(0), start);
    expect(decision.self).toBeUndefined();
    expect(decision.status).toBe(self.status);
    expect(decision.events).toEqual([]);
  });

  test("is concerned by its Lease, as no node with an agent is", () => {
    const cluster = simulatedCluster();
    cluster.put(node, aNode("n1"));
    cluster.put(node, aNode("n2", engine));
    const concerned = (name: string, namespace: string) => [
      ...(nodes.concerns?.(
        {
          before: undefined,
          after: {
            apiVersion: "coordination.k8s.io/v1",
            kind: "Lease",
            metadata: { name, namespace },
          },
        },
        cluster.view,
      ) ?? []),
    ];
    expect(concerned("n1", "kube-node-lease")).toEqual(["n1"]);
    expect(concerned("n1", "default")).toEqual([]);
    expect(concerned("n2", "kube-node-lease")).toEqual([]);
    expect(concerned("n3", "kube-node-lease")).toEqual([]);
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
