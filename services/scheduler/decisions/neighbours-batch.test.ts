/** A batch, beside the rules said plainly. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf } from "../claim.ts";
import { countCohorts } from "./cohorts.ts";
import {
  apart,
  app,
  type Described,
  labelsOf,
  near,
  podOf,
  roomsWith,
} from "./neighbours-fixture.ts";
import { place } from "./place.ts";
import { plainlyFits } from "./plain-placement.ts";

const anyTerm = fc.record({
  topologyKey: fc.constantFrom("zone", "host"),
  labelSelector: fc.constantFrom(app("db"), app("web"), {}),
  namespaces: fc.constantFrom(undefined, ["team"]),
});
const anyConstraint = fc.record({
  topologyKey: fc.constantFrom("zone", "host"),
  maxSkew: fc.integer({ min: 1, max: 2 }),
  whenUnsatisfiable: fc.constantFrom("DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"),
  labelSelector: fc.constantFrom(app("db"), app("web"), undefined),
  minDomains: fc.constantFrom(undefined, 2),
  nodeTaintsPolicy: fc.constantFrom(undefined, "Honor"),
});
const anyPod = fc
  .record({
    labels: fc.constantFrom({ app: "db" }, { app: "web" }, {}),
    namespace: fc.constantFrom("default", "default", "team"),
    near: fc.array(anyTerm, { maxLength: 1 }),
    apart: fc.array(anyTerm, { maxLength: 1 }),
    topologySpreadConstraints: fc.array(anyConstraint, { maxLength: 2 }),
    priority: fc.nat(1),
  })
  .map(({ near: together, apart: alone, ...rest }): Described => ({
    ...rest,
    affinity: { ...near(...together).affinity, ...apart(...alone).affinity },
  }));

describe("a batch", () => {
  const nodes = ["a1", "a2", "b1", "none", "tainted"];
  const anyPods = fc.dictionary(fc.constantFrom(...nodes), fc.array(anyPod, { maxLength: 2 }));

  test("decides as one pod after the other would be", () => {
    fc.assert(
      fc.property(fc.array(anyPod, { minLength: 1, maxLength: 8 }), anyPods, (pods, there) => {
        const rooms = roomsWith(there, nodes);
        const claims = pods.map((pod, nth) => claimOf(podOf(`new-${nth}`, pod)));
        const placed = place(claims, rooms, { cohorts: countCohorts(rooms), labelsOf });
        const homes = new Map(
          [...placed.binds].flatMap(([node, all]) => all.map((claim) => [claim, node] as const)),
        );
        let now = rooms;
        const inOrder = claims
          .toSorted((a, b) => (a.address < b.address ? -1 : 1))
          .toSorted((a, b) => b.priority - a.priority);
        for (const claim of inOrder) {
          const fitting = now
            .filter((room) => plainlyFits(claim, room, { rooms: now, labelsOf }))
            .map(({ name }) => name);
          const home = homes.get(claim);
          if (home === undefined) expect(fitting).toEqual([]);
          else expect(fitting).toContain(home);
          now = now.map((room) =>
            room.name === home ? { ...room, claims: [...room.claims, claim] } : room,
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
