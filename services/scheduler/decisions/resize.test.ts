import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocatedAnnotation, allocationOf } from "../../../libs/model/pod/allocated.ts";
import { claimOf, plus, type PodFacts, requestsOf } from "../claim.ts";
import { type Room, roomOf } from "../room.ts";
import { resize } from "./resize.ts";

type Requests = Readonly<Record<string, string>>;
const specOf = (requests: Requests) => ({
  containers: [{ name: "main", resources: { requests } }],
});

/** A pod on n1 that has `had`, and waits to have `wanted`. */
const aPod = (name: string, had: Requests, wanted: Requests, priority = 0): PodFacts => ({
  metadata: {
    name,
    namespace: "default",
    annotations: { [allocatedAnnotation]: allocationOf(specOf(had)) },
  },
  spec: { ...specOf(wanted), nodeName: "n1", priority },
});
const aRoom = (pods: readonly PodFacts[], allocatable: Requests = {}): Room =>
  roomOf(
    {
      metadata: { name: "n1" },
      status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...allocatable } },
    },
    pods,
  );

describe("a pod that is to grow", () => {
  test.each([
    ["where there is room", [["a", { cpu: "1" }, { cpu: "4" }]], {}, ["a"], []],
    ["where it only becomes smaller", [["a", { cpu: "6" }, { cpu: "5" }]], {}, ["a"], []],
    [
      "where its node is too small for it",
      [["a", { cpu: "1" }, { cpu: "5" }]],
      {},
      [],
      ["a Infeasible Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000"],
    ],
    [
      "where others take the room",
      [
        ["a", { cpu: "1" }, { cpu: "2" }],
        ["b", { cpu: "3" }, { cpu: "3" }],
      ],
      {},
      ["b"],
      [
        "a Deferred Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
      ],
    ],
    [
      "where one resource of two is short",
      [["a", { cpu: "1", memory: "1Gi" }, { cpu: "2", memory: "9Gi" }]],
      {},
      [],
      [
        "a Infeasible Node didn't have enough capacity: memory, requested: 9663676416, capacity: 8589934592",
      ],
    ],
    [
      "where there is room for one of two: the one of higher priority",
      [
        ["a", { cpu: "1" }, { cpu: "3" }],
        ["b", { cpu: "1" }, { cpu: "3" }, 5],
      ],
      {},
      ["b"],
      [
        "a Deferred Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
      ],
    ],
    [
      "where it is larger than the node already, and grows in another resource",
      [["a", { cpu: "6", memory: "1Gi" }, { cpu: "6", memory: "2Gi" }]],
      {},
      ["a"],
      [],
    ],
  ] as const)("%s", (_name, given, allocatable, granted, refused) => {
    const pods = given.map(([name, had, wanted, priority]) => aPod(name, had, wanted, priority));
    const sized = resize(pods, [aRoom(pods, allocatable)]);
    expect(sized.granted.map(({ metadata }) => metadata.name)).toEqual(granted);
    expect(
      sized.refused.map(({ pod, reason, message }) => `${pod.metadata.name} ${reason} ${message}`),
    ).toEqual(refused);
  });

  test("never makes more count on a node than it has, and all that was granted does", () => {
    const cpu = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cpu, cpu), { maxLength: 6 }), (sizes) => {
        const pods = sizes.map(([had, wanted], nth) =>
          aPod(`p${nth}`, { cpu: String(had) }, { cpu: String(wanted) }),
        );
        const before = aRoom(pods, { cpu: "12" });
        const { granted, rooms } = resize(pods, [before]);
        const taken = pods
          .map((pod) => (granted.includes(pod) ? requestsOf(pod.spec) : claimOf(pod).requests))
          .reduce(plus, {});
        expect(rooms[0]?.taken).toEqual(taken);
        expect(taken["cpu"] ?? 0).toBeLessThanOrEqual(Math.max(12_000, before.taken["cpu"] ?? 0));
      }),
    );
  });
});
