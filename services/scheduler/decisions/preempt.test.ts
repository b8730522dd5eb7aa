import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Claim, claimOf, type PodFacts } from "../claim.ts";
import { type NodeFacts, type Room, roomOf } from "../room.ts";
import { apart, app, near } from "./neighbours-fixture.ts";
import { type Nominated, place } from "./place.ts";
import type { Budgets } from "./preempt.ts";

type Described = {
  readonly cpu?: number;
  readonly priority?: number;
  /** Minutes after the first. */
  readonly born?: number;
  readonly ending?: boolean;
  readonly labels?: Record<string, string>;
  readonly budget?: string;
  readonly nominated?: string;
  readonly spec?: Partial<PodFacts["spec"]>;
};

function podOf(name: string, of: Described): PodFacts {
  const { cpu = 0, priority = 0, born = 0, ending = false, labels = {}, budget, nominated } = of;
  return {
    metadata: {
      name,
      namespace: "default",
      uid: name,
      creationTimestamp: new Date(born * 60_000).toISOString(),
      ...(ending && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      labels: { ...labels, ...(budget !== undefined && { budget }) },
    },
    spec: {
      containers: [{ resources: { requests: { cpu: `${cpu}` } } }],
      priority,
      ...of.spec,
    },
    ...(nominated !== undefined && { status: { nominatedNodeName: nominated } }),
  };
}
const claimed = (name: string, of: Described): Claim => claimOf(podOf(name, of));

type Node = NonNullable<NodeFacts["spec"]> & { cpu?: number; labels?: Record<string, string> };
const nodeOf = (name: string, { cpu = 4, labels = {}, ...spec }: Node = {}): NodeFacts => ({
  metadata: { name, labels: { host: name, ...labels } },
  spec,
  status: { allocatable: { cpu: String(cpu), pods: "10" } },
});
const roomWith = (name: string, pods: Record<string, Described>, node: Node = {}): Room =>
  roomOf(
    nodeOf(name, node),
    Object.entries(pods).map(([pod, of]) => podOf(pod, of)),
  );

const budgetsOf = (allowed: Record<string, number>): Budgets => ({
  of: ({ labels }) => (labels["budget"] === undefined ? [] : [labels["budget"]]),
  allowed: (budget) => allowed[budget] ?? 0,
});

type Case = {
  readonly name: string;
  readonly pod: Described;
  readonly nodes: Record<string, Record<string, Described>>;
  readonly of?: Record<string, Node>;
  readonly budgets?: Record<string, number>;
  readonly nominated?: Record<string, Described>;
  /** `<node>: <victims>`; undefined: no room is made. */
  readonly expected: string | undefined;
};

const high = { cpu: 2, priority: 10 };

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/ */
describe("a pod that fits nowhere", () => {
  test.each<Case>([
    {
      name: "displaces one of lower priority",
      pod: high,
      nodes: { n1: { a: { cpu: 4 } } },
      expected: "n1: a",
    },
    {
      name: "displaces none of its own priority",
      pod: high,
      nodes: { n1: { a: { cpu: 4, priority: 10 } } },
      expected: undefined,
    },
    {
      name: "displaces none when its policy is Never",
      pod: { ...high, spec: { preemptionPolicy: "Never" } },
      nodes: { n1: { a: { cpu: 4 } } },
      expected: undefined,
    },
    {
      name: "displaces no more than it needs",
      pod: high,
      nodes: { n1: { a: { cpu: 2 }, b: { cpu: 2 } } },
      expected: "n1: b",
    },
    {
      name: "spares the more important of those that would do",
      pod: high,
      nodes: { n1: { a: { cpu: 2, priority: 1 }, b: { cpu: 2, priority: 5 } } },
      expected: "n1: a",
    },
    {
      name: "spares the small that would not have been enough",
      pod: { cpu: 3, priority: 10 },
      nodes: { n1: { a: { cpu: 1, priority: 1 }, b: { cpu: 3, priority: 5 } } },
      expected: "n1: b",
    },
    {
      name: "spares the older of equals",
      pod: high,
      nodes: { n1: { a: { cpu: 2, born: 5 }, b: { cpu: 2, born: 1 } } },
      expected: "n1: a",
    },
    {
      name: "goes where the highest priority that is lost is lowest",
      pod: high,
      nodes: { n1: { a: { cpu: 4, priority: 5 } }, n2: { b: { cpu: 4, priority: 1 } } },
      expected: "n2: b",
    },
    {
      name: "goes where the sum of the priorities is lowest",
      pod: { cpu: 4, priority: 10 },
      nodes: {
        n1: { a: { cpu: 2, priority: 5 }, b: { cpu: 2, priority: 5 } },
        n2: { c: { cpu: 2, priority: 5 }, d: { cpu: 2, priority: 1 } },
      },
      expected: "n2: c d",
    },
    {
      name: "goes where fewest are lost",
      pod: { cpu: 4, priority: 10 },
      nodes: { n1: { a: { cpu: 2 }, b: { cpu: 2 } }, n2: { c: { cpu: 4 } } },
      expected: "n2: c",
    },
    {
      name: "goes where the youngest are lost",
      pod: high,
      nodes: { n1: { a: { cpu: 4, born: 1 } }, n2: { b: { cpu: 4, born: 9 } } },
      expected: "n2: b",
    },
    {
      name: "waits for what goes already, and displaces no other",
      pod: high,
      nodes: { n1: { a: { cpu: 2, ending: true }, b: { cpu: 2 } }, n2: { c: { cpu: 4 } } },
      expected: "n1: ",
    },
    {
      name: "does not go where no deletion would help: a taint",
      pod: high,
      nodes: { n1: { a: { cpu: 4 } } },
      of: { n1: { taints: [{ key: "gpu", effect: "NoSchedule" }] } },
      expected: undefined,
    },
    {
      name: "does not go where no deletion would help: too small",
      pod: { cpu: 5, priority: 10 },
      nodes: { n1: { a: { cpu: 4 } } },
      expected: undefined,
    },
    {
      name: "spares those that a budget protects",
      pod: high,
      nodes: { n1: { a: { cpu: 2, budget: "web" }, b: { cpu: 2, priority: 5 } } },
      budgets: { web: 0 },
      expected: "n1: b",
    },
    {
      name: "breaks no budget, though there is no other way",
      pod: high,
      nodes: { n1: { a: { cpu: 4, budget: "web" } } },
      budgets: { web: 0 },
      expected: undefined,
    },
    {
      name: "takes what a budget allows",
      pod: { cpu: 4, priority: 10 },
      nodes: {
        n1: { a: { cpu: 2, budget: "web" }, b: { cpu: 2, budget: "web" } },
        n2: { c: { cpu: 4, priority: 5, budget: "web" } },
      },
      budgets: { web: 1 },
      expected: "n2: c",
    },
    {
      name: "displaces who has its port",
      pod: { priority: 10, spec: { containers: [{ ports: [{ hostPort: 80 }] }] } },
      nodes: { n1: { a: { spec: { containers: [{ ports: [{ hostPort: 80 }] }] } }, b: {} } },
      expected: "n1: a",
    },
    {
      name: "displaces who will not have it near",
      pod: { priority: 10, labels: { app: "web" } },
      nodes: {
        n1: {
          a: { spec: apart({ topologyKey: "host", labelSelector: app("web") }) },
          b: { priority: 1 },
        },
      },
      expected: "n1: a",
    },
    {
      name: "displaces whom it will not have near, of one priority fewer",
      pod: { priority: 10, spec: apart({ topologyKey: "host", labelSelector: app("db") }) },
      nodes: {
        n1: { a: { labels: { app: "db" }, priority: 3 } },
        n2: { b: { labels: { app: "db" }, priority: 2 } },
      },
      expected: "n2: b",
    },
    {
      name: "does not go where one on another node keeps it out of the zone",
      pod: { priority: 10, spec: apart({ topologyKey: "zone", labelSelector: app("db") }) },
      nodes: { n1: { a: { labels: { app: "db" } } }, n2: { b: { labels: { app: "db" } } } },
      of: { n1: { labels: { zone: "a" } }, n2: { labels: { zone: "a" } } },
      expected: undefined,
    },
    {
      name: "keeps whom it must be near",
      pod: { ...high, spec: near({ topologyKey: "host", labelSelector: app("db") }) },
      nodes: { n1: { a: { cpu: 2, labels: { app: "db" }, priority: 1 }, b: { cpu: 2 } } },
      expected: undefined, // As Kubernetes: it looks first whether the pod fits when all have gone.
    },
    {
      name: "displaces one of a spread that is full there",
      pod: {
        priority: 10,
        labels: { app: "web" },
        spec: {
          topologySpreadConstraints: [
            {
              topologyKey: "host",
              maxSkew: 1,
              whenUnsatisfiable: "DoNotSchedule",
              labelSelector: app("web"),
            },
          ],
        },
      },
      nodes: {
        n1: { a: { labels: { app: "web" } } },
        n2: { b: { cpu: 4, priority: 20 }, c: { labels: { app: "web" }, priority: 20 } },
        n3: { d: { cpu: 4, priority: 20 } },
      },
      of: { n3: { taints: [{ key: "gpu", effect: "NoSchedule" }] } },
      expected: "n1: a",
    },
    {
      name: "stays where room is being made for it",
      pod: { ...high, nominated: "n1" },
      nodes: {
        n1: { a: { cpu: 3, ending: true }, x: { cpu: 1 } },
        n2: { b: { cpu: 2, ending: true }, y: { cpu: 2 } },
      },
      expected: "n1: ",
    },
    {
      name: "goes elsewhere when that room is lost",
      pod: { ...high, nominated: "n1" },
      nodes: { n1: { a: { cpu: 4, priority: 20 } }, n2: { b: { cpu: 4 } } },
      expected: "n2: b",
    },
    {
      name: "displaces for its own room what is besides that of another",
      pod: high,
      nodes: { n1: { a: { cpu: 2, ending: true }, b: { cpu: 2 } } },
      nominated: { n1: { cpu: 2, priority: 10 } },
      expected: "n1: b",
    },
    {
      name: "minds no room that is made for one of lower priority",
      pod: high,
      nodes: { n1: { a: { cpu: 2, ending: true }, b: { cpu: 2 } } },
      nominated: { n1: { cpu: 2, priority: 9 } },
      expected: "n1: ",
    },
  ])("$name", ({ pod, nodes, of = {}, budgets = {}, nominated = {}, expected }) => {
    const rooms = Object.entries(nodes).map(([name, pods]) => roomWith(name, pods, of[name]));
    const { refused, binds } = place([claimed("new", pod)], rooms, {
      budgets: budgetsOf(budgets),
      nominated: Object.entries(nominated).map(([node, one]) => ({
        claim: claimed(`for-${node}`, one),
        node,
      })),
    });
    expect(binds.size).toBe(0);
    expect(refused.map(({ nomination }) => shown(nomination))).toEqual([expected]);
  });

  test("takes what another's victims leave, before it displaces more", () => {
    const rooms = [
      roomWith("n1", { a: { cpu: 4 } }),
      roomWith("n2", { b: { cpu: 4, priority: 5 } }),
    ];
    const { refused } = place([claimed("one", high), claimed("other", high)], rooms);
    expect(refused.map(({ nomination }) => shown(nomination))).toEqual(["n1: a", "n1: "]);
  });

  test("takes its room before its equals, and none that is kept for its betters", () => {
    const rooms = [roomWith("n1", {}), roomWith("n2", { a: { cpu: 4, priority: 50 } })];
    const equal = claimed("a-older", { cpu: 4, priority: 10 });
    const own = claimed("own", { cpu: 4, priority: 10, born: 9, nominated: "n1" });
    expect([...place([equal, own], rooms).binds]).toEqual([["n1", [own]]]);
    const kept: Nominated = { claim: claimed("better", { cpu: 1, priority: 10 }), node: "n1" };
    expect(place([own], rooms, { nominated: [kept] }).binds.size).toBe(0);
    const lesser: Nominated = { claim: claimed("lesser", { cpu: 1, priority: 9 }), node: "n1" };
    expect(place([own], rooms, { nominated: [lesser] }).binds.size).toBe(1);
  });
});

const shown = (
  one: { readonly node: string; readonly victims: readonly Claim[] } | undefined,
): string | undefined =>
  one &&
  `${one.node}: ${one.victims
    .map(({ name }) => name)
    .toSorted()
    .join(" ")}`;

const anyPod = fc.record({
  cpu: fc.integer({ min: 0, max: 3 }),
  priority: fc.integer({ min: -1, max: 3 }),
  born: fc.nat(3),
  ending: fc.boolean().map((one) => one && true),
  budget: fc.constantFrom(undefined, undefined, "x", "y"),
});
const anyRooms = fc
  .array(fc.array(anyPod, { maxLength: 5 }), { minLength: 1, maxLength: 4 })
  .map((nodes) =>
    nodes.map((pods, nth) =>
      roomOf(
        nodeOf(`n${nth}`),
        pods.map(({ budget, ...one }, at) =>
          podOf(`p${nth}-${at}`, { ...one, ...(budget !== undefined && { budget }) }),
        ),
      ),
    ),
  );

const used = (claims: readonly Claim[]) =>
  claims.reduce((sum, { requests }) => sum + (requests["cpu"] ?? 0), 0);
const pods = (claims: readonly Claim[]) => claims.length;
const fitsIn = (room: Room, claims: readonly Claim[]) =>
  used(claims) <= (room.allocatable["cpu"] ?? 0) && pods(claims) <= 10;

/** As Kubernetes' documentation tells it: all that are lower go, then the most important come back. */
function plainly(claim: Claim, room: Room): readonly Claim[] | undefined {
  const stays = room.claims.filter((one) => one.priority >= claim.priority);
  const lower = room.claims.filter((one) => one.priority < claim.priority && !one.ending);
  if (!fitsIn(room, [...stays, claim])) return undefined;
  const kept: Claim[] = [];
  for (const one of lower.toSorted(
    (a, b) =>
      b.priority - a.priority ||
      (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0) ||
      (a.address < b.address ? -1 : 1),
  )) {
    if (fitsIn(room, [...stays, ...kept, one, claim])) kept.push(one);
  }
  return lower.filter((one) => !kept.includes(one));
}

describe("whatever the cluster is like, preemption", () => {
  test("without budgets finds what a plain search finds", () => {
    fc.assert(
      fc.property(anyRooms, fc.integer({ min: 1, max: 4 }), (rooms, cpu) => {
        const claim = claimed("new", { cpu, priority: 2 });
        const { refused } = place([claim], rooms);
        if (refused.length === 0) return;
        const found = rooms.flatMap((room) => {
          const victims = plainly(claim, room);
          return victims === undefined ? [] : [{ node: room.name, victims }];
        });
        const harm = ({ victims }: { readonly victims: readonly Claim[] }) => {
          const highest = Math.max(...victims.map(({ priority }) => priority));
          const sum = victims.reduce((all, { priority }) => all + priority + 2 ** 31, 0);
          const first = victims
            .filter(({ priority }) => priority === highest)
            .map(({ createdAt }) => Date.parse(createdAt));
          return [highest, sum, victims.length, -Math.min(...first)];
        };
        const least = found
          .map(harm)
          .toSorted(
            (a, b) =>
              a
                .map((one, nth) => one - (b[nth] ?? 0))
                .find((one) => one !== 0 && !Number.isNaN(one)) ?? 0,
          )[0];
        const nomination = refused[0]?.nomination;
        expect(nomination === undefined).toBe(least === undefined);
        if (nomination === undefined || least === undefined) return;
        expect(harm(nomination)).toEqual(least);
        const there = found.find(({ node }) => node === nomination.node);
        expect(shown(nomination)).toBe(there && shown(there));
      }),
      { numRuns: 500 },
    );
  });

  test("makes room for all that it nominates, breaks no budget, and touches none that is not lower", () => {
    const anyNew = fc.array(
      fc.record({ cpu: fc.integer({ min: 1, max: 4 }), priority: fc.integer({ min: 0, max: 4 }) }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(anyRooms, anyNew, fc.nat(2), fc.nat(2), (rooms, wanted, x, y) => {
        const claims = wanted.map((one, nth) => claimed(`new-${nth}`, one));
        const { refused, binds } = place(claims, rooms, { budgets: budgetsOf({ x, y }) });
        const nominations = refused.flatMap(({ claim, nomination }) =>
          nomination === undefined ? [] : [{ claim, ...nomination }],
        );
        const victims = nominations.flatMap((one) => one.victims);
        expect(new Set(victims).size).toBe(victims.length);
        const charged = (budget: string) =>
          victims.filter(({ labels }) => labels["budget"] === budget).length;
        expect([charged("x") <= x, charged("y") <= y]).toEqual([true, true]);
        for (const room of rooms) {
          const here = nominations.filter(({ node }) => node === room.name);
          const going = here.flatMap((one) => one.victims);
          for (const one of here)
            for (const victim of one.victims) {
              expect(victim.priority).toBeLessThan(one.claim.priority);
              expect(room.claims).toContain(victim);
              expect(victim.ending).toBe(false);
            }
          const stays = room.claims.filter((one) => !one.ending && !going.includes(one));
          const all = [
            ...stays,
            ...(binds.get(room.name) ?? []),
            ...here.map(({ claim }) => claim),
          ];
          const wasOver = !fitsIn(room, room.claims);
          if (here.length > 0) expect(fitsIn(room, all) || wasOver).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
