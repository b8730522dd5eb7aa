/** Whatever the pods and the nodes: what placing them keeps to. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf } from "../claim.ts";
import { type Room, withClaim } from "../room.ts";
import {
  anyPod,
  anyRoom,
  anyRooms,
  anySettings,
  image,
  podFrom,
  roomFrom,
} from "./place-generators.ts";
import { place } from "./place.ts";
import { plainlyFits, plainTotals } from "./plain-placement.ts";

/** Few shapes, many pods of each, whatever they run. */
const claims = fc
  .tuple(
    fc.array(anyPod, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), image), { minLength: 1, maxLength: 14 }),
  )
  .map(([shapes, order]) =>
    order.flatMap(([at, runs], nth) => {
      const shape = shapes[at % shapes.length];
      return shape === undefined ? [] : [claimOf(podFrom({ ...shape, image: runs }, nth))];
    }),
  );
const labelsOf = () => ({});

describe("placing pods", () => {
  test("breaks no rule and takes one of the best nodes, pod after pod", () => {
    fc.assert(
      fc.property(claims, anyRooms, anySettings, (pods, nodes, chosen) => {
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
      fc.property(anyPod, anyRooms, anyRoom, (pod, nodes, more) => {
        const claim = claimOf(podFrom(pod, 0));
        const another = roomFrom(more, nodes.length);
        if (place([claim], nodes).refused.length > 0) return;
        expect(place([claim], [...nodes, another]).refused).toEqual([]);
      }),
    );
  });
});
