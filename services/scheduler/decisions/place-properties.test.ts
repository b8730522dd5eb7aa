/** Whatever the pods and the nodes: what placing them keeps to. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import { type Room, withClaim } from "../room.ts";
import { aClaim, aRoom, gpuTaint } from "./place-fixture.ts";
import { place } from "./place.ts";
import { plainlyFits, plainTotals } from "./plain-placement.ts";

const quantities = (most: number, unit: string) =>
  fc.integer({ min: 0, max: most }).map((amount) => `${amount}${unit}`);
const zone = fc.constantFrom("east", "west");
const image = fc.constantFrom("web:v1", "db:v1");
const label = "topology.kubernetes.io/zone";
const app = (value: string) => ({ matchLabels: { app: value } });

const affinity = fc
  .record({ required: fc.option(zone), preferred: fc.option(zone) })
  .map(({ required, preferred }) => {
    const term = (of: string) => ({
      matchExpressions: [{ key: label, operator: "In" as const, values: [of] }],
    });
    return {
      nodeAffinity: {
        ...(required !== null && {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term(required)] },
        }),
        ...(preferred !== null && {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 10, preference: term(preferred) },
          ],
        }),
      },
    };
  });
const anyPod = fc.record({
  cpu: fc.constantFrom("0", "100m", "300m", "1500m"),
  memory: fc.constantFrom("0", "100Mi", "900Mi"),
  image,
  affinity,
  port: fc.constantFrom(undefined, undefined, 80),
  owner: fc.constantFrom("a", "b", undefined),
  tolerations: fc.constantFrom([], [], [{ operator: "Exists" }]),
  spread: fc.constantFrom(undefined, undefined, "ScheduleAnyway"),
  wish: fc.constantFrom(undefined, undefined, 10, -10),
});
type Drawn = typeof anyPod extends fc.Arbitrary<infer T> ? T : never;

function claimFrom(one: Drawn, nth: number) {
  const podAffinityTerm = { topologyKey: label, labelSelector: app("a") };
  const weight = Math.abs(one.wish ?? 0);
  const terms = {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }],
  };
  return aClaim(
    `p${nth}`,
    {
      containers: [
        {
          image: one.image,
          resources: { requests: { cpu: one.cpu, memory: one.memory } },
          ports: [{ hostPort: one.port }],
        },
      ],
      tolerations: one.tolerations,
      affinity: {
        ...one.affinity,
        ...(one.wish !== undefined && {
          [one.wish > 0 ? "podAffinity" : "podAntiAffinity"]: terms,
        }),
      },
      topologySpreadConstraints:
        one.spread === undefined
          ? []
          : [
              {
                topologyKey: label,
                maxSkew: 1,
                whenUnsatisfiable: one.spread,
                labelSelector: app("a"),
              },
            ],
    },
    {
      labels: { app: one.owner ?? "none" },
      ...(one.owner !== undefined && { ownerReferences: [{ uid: one.owner, controller: true }] }),
    },
  );
}
/** Few shapes, many pods of each, whatever they run. */
const claims = fc
  .tuple(
    fc.array(anyPod, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), image), { minLength: 1, maxLength: 14 }),
  )
  .map(([shapes, order]) =>
    order.flatMap(([at, runs], nth) => {
      const shape = shapes[at % shapes.length];
      return shape === undefined ? [] : [claimFrom({ ...shape, image: runs }, nth)];
    }),
  );
const anyRoom = fc.record({
  cpu: quantities(4_000, "m"),
  memory: quantities(4_000, "Mi"),
  zone: fc.option(zone),
  unschedulable: fc.constantFrom(false, false, true),
  taints: fc.constantFrom([], [], [gpuTaint], [{ ...gpuTaint, effect: "PreferNoSchedule" }]),
  image: fc.option(image),
});
type DrawnRoom = typeof anyRoom extends fc.Arbitrary<infer T> ? T : never;
const roomFrom = (
  { zone: of, image: there, cpu: cores, memory: bytes, ...node }: DrawnRoom,
  nth: number,
) =>
  aRoom(
    `n${nth}`,
    {
      ...node,
      labels: of === null ? {} : { [label]: of },
      allocatable: { cpu: cores, memory: bytes },
    },
    there === null ? {} : { images: [{ names: [there], sizeBytes: 500_000_000 }] },
  );
const rooms = fc.array(anyRoom, { minLength: 1, maxLength: 6 }).map((all) => all.map(roomFrom));
const settings = fc.record({
  strategy: fc.constantFrom("LeastAllocated" as const, "MostAllocated" as const),
  defaultSpread: fc.constantFrom(defaultScheduling.defaultSpread, [label], []),
});
const labelsOf = () => ({});

describe("placing pods", () => {
  test("breaks no rule and takes one of the best nodes, pod after pod", () => {
    fc.assert(
      fc.property(claims, rooms, settings, (pods, nodes, chosen) => {
        const placed = place(pods, nodes, { settings: chosen });
        const homes = new Map(
          [...placed.binds].flatMap(([node, all]) => all.map((claim) => [claim, node] as const)),
        );
        let now: readonly Room[] = nodes;
        for (const claim of pods.toSorted((a, b) => (a.address < b.address ? -1 : 1))) {
          const totals = plainTotals(claim, now, { labelsOf, settings: chosen });
          const home = homes.get(claim);
          for (const room of now) {
            expect(totals.has(room.name)).toBe(plainlyFits(claim, room, { rooms: now, labelsOf }));
          }
          if (home === undefined) expect([...totals]).toEqual([]);
          else expect(totals.get(home)).toBeCloseTo(Math.max(...totals.values()), 6);
          now = now.map((room) => (room.name === home ? withClaim(room, claim) : room));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("one more node keeps no pod from finding a place", () => {
    fc.assert(
      fc.property(anyPod, rooms, anyRoom, (pod, nodes, more) => {
        const claim = claimFrom(pod, 0);
        const another = roomFrom(more, nodes.length);
        if (place([claim], nodes).refused.length > 0) return;
        expect(place([claim], [...nodes, another]).refused).toEqual([]);
      }),
    );
  });
});
