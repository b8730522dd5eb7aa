import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf, type PodFacts } from "../claim.ts";
import { type NodeFacts, type Room, roomOf, withClaim } from "../room.ts";
import { explain, place, predicates } from "./place.ts";

type Spec = Partial<PodFacts["spec"]>;

function aClaim(name: string, spec: Spec = {}, metadata: Partial<PodFacts["metadata"]> = {}) {
  const containers = [{ resources: { requests: { cpu: "100m" } } }];
  return claimOf({
    metadata: { name, namespace: "default", uid: name, ...metadata },
    spec: { containers, ...spec },
  });
}
const asks = (requests: Record<string, string>): Spec => ({
  containers: [{ resources: { requests } }],
});

type NodeState = NonNullable<NodeFacts["spec"]> & {
  readonly labels?: Record<string, string>;
  readonly allocatable?: Record<string, string>;
  readonly ready?: "True" | "False" | "Unknown";
};
function aRoom(
  name: string,
  { labels, allocatable, ready = "True", ...spec }: NodeState = {},
): Room {
  return roomOf(
    {
      metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
      spec,
      status: {
        allocatable: { cpu: "2", memory: "4Gi", pods: "110", ...allocatable },
        conditions: [{ type: "Ready", status: ready }],
      },
    },
    [],
  );
}

const gpuTaint = { key: "gpu", value: "yes", effect: "NoSchedule" };
const inZone = (zone: string): Spec => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] },
        ],
      },
    },
  },
});
const onNode = (name: string): Spec => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] },
        ],
      },
    },
  },
});
const withPort = (
  ports: NonNullable<PodFacts["spec"]["containers"][number]["ports"]>[number],
): Spec => ({
  containers: [{ ports: [ports] }],
});

type Case = { name: string; spec: Spec; node?: NodeState; taken?: Spec; why?: string };

describe("a pod on one node", () => {
  const affinity = "node(s) didn't match Pod's node affinity/selector";
  const ports = "node(s) didn't have free ports for the requested pod ports";
  test.each<Case>([
    { name: "fits exactly", spec: asks({ cpu: "2", memory: "4Gi" }) },
    { name: "asks for too much CPU", spec: asks({ cpu: "2001m" }), why: "Insufficient cpu" },
    {
      name: "asks for too much of two",
      spec: asks({ cpu: "3", memory: "5Gi" }),
      why: "Insufficient cpu, 1 Insufficient memory",
    },
    {
      name: "asks for what the node has not",
      spec: asks({ "example.com/gpu": "1" }),
      why: "Insufficient example.com/gpu",
    },
    {
      name: "finds no place among the pods",
      spec: {},
      node: { allocatable: { pods: "0" } },
      why: "Too many pods",
    },
    {
      name: "counts what is taken",
      spec: asks({ cpu: "1500m" }),
      taken: asks({ cpu: "1" }),
      why: "Insufficient cpu",
    },
    {
      name: "counts the largest init container",
      spec: { containers: [{}], initContainers: [{ resources: { requests: { cpu: "3" } } }] },
      why: "Insufficient cpu",
    },
    {
      name: "counts sidecars beside the containers",
      spec: {
        containers: [{ resources: { requests: { cpu: "1500m" } } }],
        initContainers: [{ restartPolicy: "Always", resources: { requests: { cpu: "600m" } } }],
      },
      why: "Insufficient cpu",
    },
    {
      name: "selects a label it has",
      spec: { nodeSelector: { disk: "ssd" } },
      node: { labels: { disk: "ssd" } },
    },
    { name: "selects a label it has not", spec: { nodeSelector: { disk: "ssd" } }, why: affinity },
    { name: "requires its zone", spec: inZone("a"), node: { labels: { zone: "a" } } },
    {
      name: "requires another zone",
      spec: inZone("b"),
      node: { labels: { zone: "a" } },
      why: affinity,
    },
    { name: "requires this very node", spec: onNode("n1") },
    { name: "requires another node", spec: onNode("n2"), why: affinity },
    {
      name: "does not tolerate a taint",
      spec: {},
      node: { taints: [gpuTaint] },
      why: "node(s) had untolerated taint {gpu: yes}",
    },
    {
      name: "tolerates a taint by value",
      spec: {
        tolerations: [{ key: "gpu", operator: "Equal", value: "yes", effect: "NoSchedule" }],
      },
      node: { taints: [gpuTaint] },
    },
    {
      name: "tolerates everything",
      spec: { tolerations: [{ operator: "Exists" }] },
      node: { taints: [gpuTaint], ready: "False", unschedulable: true },
    },
    {
      name: "tolerates another effect only",
      spec: { tolerations: [{ key: "gpu", operator: "Exists", effect: "NoExecute" }] },
      node: { taints: [gpuTaint] },
      why: "node(s) had untolerated taint {gpu: yes}",
    },
    {
      name: "does not mind a preference",
      spec: {},
      node: { taints: [{ ...gpuTaint, effect: "PreferNoSchedule" }] },
    },
    {
      name: "may not go to a cordoned node",
      spec: {},
      node: { unschedulable: true },
      why: "node(s) were unschedulable",
    },
    {
      name: "may not go to a node that is not ready",
      spec: {},
      node: { ready: "Unknown" },
      why: "node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
    },
    {
      name: "wants a port that is taken",
      spec: withPort({ hostPort: 80 }),
      taken: withPort({ hostPort: 80 }),
      why: ports,
    },
    {
      name: "wants a port of an address while all are taken",
      spec: withPort({ hostPort: 80, hostIP: "10.0.0.1" }),
      taken: withPort({ hostPort: 80 }),
      why: ports,
    },
    {
      name: "wants the same port of another protocol",
      spec: withPort({ hostPort: 53, protocol: "UDP" }),
      taken: withPort({ hostPort: 53 }),
    },
  ])("$name", ({ spec, node, taken, why }) => {
    const empty = aRoom("n1", node);
    const room = taken === undefined ? empty : withClaim(empty, aClaim("other", taken));
    const { binds, refused } = place([aClaim("web", spec)], [room]);
    expect(binds.has("n1")).toBe(why === undefined);
    expect(refused.map((one) => one.why)).toEqual(
      why === undefined ? [] : [`0/1 nodes are available: 1 ${why}.`],
    );
  });
});

describe("why a pod is refused", () => {
  test("is counted over the nodes, in order", () => {
    const rooms = [aRoom("n1", { unschedulable: true }), aRoom("n2"), aRoom("n3")];
    expect(explain(aClaim("web", asks({ cpu: "9" })), rooms)).toBe(
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.",
    );
  });

  test("says when there is no node at all", () => {
    expect(place([aClaim("web")], []).refused[0]?.why).toBe("no nodes available to schedule pods");
  });
});

describe("where pods go", () => {
  const owned = (name: string) =>
    aClaim(name, {}, { ownerReferences: [{ uid: "rs", controller: true }] });
  const nodesOf = (placed: ReturnType<typeof place>) =>
    Object.fromEntries([...placed.binds].map(([node, claims]) => [node, claims.length]));

  test("pods of one owner are spread over the nodes", () => {
    const placed = place(["a", "b", "c", "d"].map(owned), [aRoom("n1"), aRoom("n2")]);
    expect(nodesOf(placed)).toEqual({ n1: 2, n2: 2 });
  });

  test("the emptier node wins", () => {
    const busy = withClaim(aRoom("n1"), aClaim("big", asks({ cpu: "1500m", memory: "3Gi" })));
    expect(place([aClaim("web")], [busy, aRoom("n2")]).binds.has("n2")).toBe(true);
  });

  test("a preference of the pod wins over that", () => {
    const busy = withClaim(
      aRoom("n1", { labels: { disk: "ssd" } }),
      aClaim("big", asks({ cpu: "1" })),
    );
    const preference = { matchExpressions: [{ key: "disk", operator: "Exists" as const }] };
    const nodeAffinity = {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }],
    };
    const web = aClaim("web", { affinity: { nodeAffinity } });
    expect(place([web], [busy, aRoom("n2")]).binds.has("n1")).toBe(true);
  });

  test("wishes for even zones are heard", () => {
    const labels = { app: "web" };
    const topologySpreadConstraints = [
      {
        topologyKey: "zone",
        maxSkew: 1,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels },
      },
    ];
    const claims = ["a", "b", "c", "d"].map((name) =>
      aClaim(name, { topologySpreadConstraints }, { labels }),
    );
    const rooms = [
      aRoom("n1", { labels: { zone: "east" } }),
      aRoom("n2", { labels: { zone: "west" }, allocatable: { cpu: "1" } }),
    ];
    expect(nodesOf(place(claims, rooms))).toEqual({ n1: 2, n2: 2 });
  });

  test("the higher priority goes first, then the older", () => {
    const whole = asks({ cpu: "2" });
    const [young, old] = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"];
    const claims = [
      aClaim("young", whole, { creationTimestamp: young }),
      aClaim("old", whole, { creationTimestamp: old }),
      aClaim("high", { ...whole, priority: 1 }, { creationTimestamp: young }),
    ];
    const placed = place(claims, [aRoom("n1"), aRoom("n2")]);
    const bound = [...placed.binds.values()].flat().map(({ address }) => address);
    expect(bound.toSorted()).toEqual(["default/high", "default/old"]);
  });
});

describe("a batch", () => {
  const cpu = fc.integer({ min: 0, max: 1_500 }).map((milli) => `${milli}m`);
  const port = fc.constantFrom(undefined, 80, 443);
  const pods = fc
    .array(fc.record({ cpu, port, uid: fc.constantFrom("a", "b"), priority: fc.nat(2) }), {
      maxLength: 40,
    })
    .map((all) =>
      all.map(({ cpu, port, uid, priority }, nth) =>
        aClaim(
          `p${nth}`,
          {
            priority,
            containers: [{ resources: { requests: { cpu } }, ports: [{ hostPort: port }] }],
          },
          { ownerReferences: [{ uid, controller: true }] },
        ),
      ),
    );
  const rooms = fc
    .array(
      fc.record({
        allocatable: fc.record({ cpu, pods: fc.nat(9).map(String) }),
        unschedulable: fc.boolean(),
        taints: fc.constantFrom([], [gpuTaint]),
      }),
      { maxLength: 6 },
    )
    .map((all) => all.map((state, nth) => aRoom(`n${nth}`, state)));

  test("never overcommits a node, and gives each pod one node or a reason", () => {
    fc.assert(
      fc.property(pods, rooms, (claims, rooms) => {
        const { binds, refused } = place(claims, rooms);
        const bound = [...binds.values()].flat();
        expect(new Set([...bound, ...refused.map(({ claim }) => claim)])).toEqual(new Set(claims));
        expect(bound.length + refused.length).toBe(claims.length);
        for (const room of rooms) {
          const after = (binds.get(room.name) ?? []).reduce(withClaim, room);
          for (const [name, amount] of Object.entries(after.taken)) {
            expect(amount).toBeLessThanOrEqual(after.allocatable[name] ?? 0);
          }
          const ports = after.claims.flatMap(({ hostPorts }) => hostPorts);
          expect(new Set(ports).size).toBe(ports.length);
        }
      }),
    );
  });

  test("refuses only pods that fit nowhere once it is done", () => {
    fc.assert(
      fc.property(pods, rooms, (claims, rooms) => {
        const { binds, refused } = place(claims, rooms);
        const after = rooms.map((room) => (binds.get(room.name) ?? []).reduce(withClaim, room));
        for (const { claim } of refused) {
          const fitting = after.filter((room) => predicates.every((one) => one.check(claim, room)));
          expect(fitting).toEqual([]);
        }
      }),
    );
  });
});
