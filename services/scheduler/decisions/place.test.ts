import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withClaim } from "../room.ts";
import { aClaim, aRoom, asks, expectVerdicts, gpuTaint, withPort } from "./place-fixture.ts";
import { explain, place, predicates } from "./place.ts";

/** @see https://kubernetes.io/docs/concepts/configuration/overview/#services */
describe("a pod's host ports", () => {
  const ports = "node(s) didn't have free ports for the requested pod ports";
  expectVerdicts([
    { name: "are free", spec: withPort({ hostPort: 80 }) },
    {
      name: "one is taken",
      spec: withPort({ hostPort: 80 }),
      taken: withPort({ hostPort: 80 }),
      why: ports,
    },
    {
      name: "one of an address while all are taken",
      spec: withPort({ hostPort: 80, hostIP: "10.0.0.1" }),
      taken: withPort({ hostPort: 80 }),
      why: ports,
    },
    {
      name: "one of every address while one's is taken",
      spec: withPort({ hostPort: 80, hostIP: "0.0.0.0" }),
      taken: withPort({ hostPort: 80, hostIP: "10.0.0.1" }),
      why: ports,
    },
    {
      name: "the same of two addresses",
      spec: withPort({ hostPort: 80, hostIP: "10.0.0.1" }),
      taken: withPort({ hostPort: 80, hostIP: "10.0.0.2" }),
    },
    {
      name: "the same of another protocol",
      spec: withPort({ hostPort: 53, protocol: "UDP" }),
      taken: withPort({ hostPort: 53 }),
    },
    {
      name: "on the host's network are taken without being asked for",
      spec: { hostNetwork: true, ...withPort({ containerPort: 80 }) },
      taken: withPort({ hostPort: 80 }),
      why: ports,
    },
    {
      name: "of a container are not the host's",
      spec: withPort({ containerPort: 80 }),
      taken: withPort({ hostPort: 80 }),
    },
  ]);
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
