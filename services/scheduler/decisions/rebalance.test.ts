import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import type { Claim, PodFacts } from "../claim.ts";
import { type Room, roomOf, withClaim, withoutClaim } from "../room.ts";
import { app } from "./neighbours-fixture.ts";
import { noBudgets } from "./preempt.ts";
import { moveOf } from "./rebalance.ts";

type Described = { readonly cpu: number; readonly spread?: readonly string[] };

const podOf = (name: string, { cpu, spread = [] }: Described): PodFacts => ({
  metadata: { name, namespace: "default", uid: name, labels: { app: "web" } },
  spec: {
    containers: [{ resources: { requests: { cpu: `${cpu}` } } }],
    topologySpreadConstraints: spread.map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: app("web"),
    })),
  },
});
const roomWith = (name: string, zone: string, pods: Record<string, Described>): Room =>
  roomOf(
    {
      metadata: { name, labels: { zone, host: name } },
      status: { allocatable: { cpu: "8", memory: "8Gi", pods: "110" } },
    },
    Object.entries(pods).map(([pod, of]) => podOf(pod, of)),
  );
const around = {
  nominated: [],
  budgets: noBudgets,
  labelsOf: () => ({}),
  settings: defaultScheduling,
};
const claimIn = (rooms: readonly Room[], name: string): readonly [Claim, string] => {
  for (const room of rooms)
    for (const claim of room.claims) if (claim.name === name) return [claim, room.name];
  throw new Error(`there is no ${name}`);
};

type Case = {
  readonly name: string;
  readonly rooms: readonly Room[];
  readonly strategy?: "MostAllocated";
  readonly to: string | undefined;
};
const byZone = { cpu: 1, spread: ["zone"] };

describe("a pod", () => {
  test.each<Case>([
    {
      name: "leaves a node that is much fuller than another",
      rooms: [roomWith("n1", "a", { p: { cpu: 2 }, q: { cpu: 3 } }), roomWith("n2", "a", {})],
      to: "n2",
    },
    {
      name: "stays where it would leave no less uneven behind",
      rooms: [roomWith("n1", "a", { p: { cpu: 5 } }), roomWith("n2", "a", {})],
      to: undefined,
    },
    {
      name: "stays for a small difference",
      rooms: [
        roomWith("n1", "a", { p: { cpu: 1 }, q: { cpu: 1 } }),
        roomWith("n2", "a", { r: { cpu: 1 } }),
      ],
      to: undefined,
    },
    {
      name: "stays on the fuller node where nodes are to be filled",
      rooms: [roomWith("n1", "a", { p: { cpu: 2 }, q: { cpu: 3 } }), roomWith("n2", "a", {})],
      strategy: "MostAllocated",
      to: undefined,
    },
    {
      name: "leaves a zone that has two more of its like",
      rooms: [roomWith("n1", "a", { p: byZone, q: byZone }), roomWith("n2", "b", {})],
      to: "n2",
    },
    {
      name: "stays in a zone that has one more",
      rooms: [roomWith("n1", "a", { p: byZone, q: byZone }), roomWith("n2", "b", { r: byZone })],
      to: undefined,
    },
    {
      name: "does not even out nodes at the cost of zones",
      rooms: [
        roomWith("n1", "a", { p: { cpu: 3, spread: ["zone"] }, x: { cpu: 3 } }),
        roomWith("n2", "b", { q: { cpu: 0, spread: ["zone"] }, r: { cpu: 0, spread: ["zone"] } }),
      ],
      to: undefined,
    },
  ])("$name", ({ rooms, strategy, to }) => {
    const [claim, from] = claimIn(rooms, "p");
    const settings = { ...defaultScheduling, ...(strategy !== undefined && { strategy }) };
    expect(moveOf(claim, from, rooms, { ...around, settings })?.to).toBe(to);
  });

  test("is not moved for ever, whatever the cluster is like", () => {
    const anyPod = fc.record({
      cpu: fc.integer({ min: 0, max: 3 }),
      spread: fc.constantFrom([], ["zone"], ["host"], ["zone", "host"]),
    });
    const anyRooms = fc
      .array(fc.tuple(fc.constantFrom("a", "b"), fc.array(anyPod, { maxLength: 4 })), {
        minLength: 2,
        maxLength: 4,
      })
      .map((nodes) =>
        nodes.map(([zone, pods], nth) =>
          roomWith(
            `n${nth}`,
            zone,
            Object.fromEntries(pods.map((one, at) => [`p${nth}-${at}`, one])),
          ),
        ),
      );
    fc.assert(
      fc.property(anyRooms, (given) => {
        let rooms = given;
        const movesMax = 4 * rooms.flatMap(({ claims }) => claims).length;
        for (let moves = 0; ; moves += 1) {
          const [move] = rooms
            .values()
            .flatMap((room) =>
              room.claims.flatMap((claim) => moveOf(claim, room.name, rooms, around) ?? []),
            );
          if (move === undefined) return;
          expect(moves).toBeLessThan(movesMax);
          rooms = rooms.map((room) => {
            if (room.name === move.from) return withoutClaim(room, move.claim);
            return room.name === move.to ? withClaim(room, move.claim) : room;
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});
