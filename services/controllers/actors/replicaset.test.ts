import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import type { Write } from "../controller.ts";
import { aPod, aReplicaSet, start as now } from "../fixtures.ts";
import { decide } from "./replicaset.ts";
import { isLive, readySinceMs } from "../../../libs/model/pod/state.ts";
import { writesMax } from "./workload/replicas.ts";

const owner = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name: "web-1",
  uid: "rs1",
  controller: true,
};
const ready = { node: "n1", readySinceMs: now, owner };
const failed = { phase: "Failed", owner };
const [up, idle, dead] = [aPod("up", ready), aPod("idle", { owner }), aPod("dead", failed)];
const world = (pods: readonly Pod[]) => ({ pods: pods.map((pod) => ({ pod, nodeReady: true })) });

type Case = {
  name: string;
  replicas: number;
  pods: Pod[];
  creates?: number;
  deletes?: string[];
  updates?: string[];
};

describe("a ReplicaSet", () => {
  test.each<Case>([
    { name: "creates what is missing", replicas: 3, pods: [up], creates: 2 },
    { name: "rests when it has enough", replicas: 1, pods: [up] },
    { name: "replaces a failed pod", replicas: 1, pods: [dead], creates: 1 },
    { name: "sheds unready pods first", replicas: 1, pods: [up, idle], deletes: ["idle"] },
    { name: "bounds a turn", replicas: writesMax + 1, pods: [], creates: writesMax },
    {
      name: "adopts a pod that it selects",
      replicas: 1,
      pods: [aPod("stray")],
      updates: ["stray"],
    },
    {
      name: "releases a pod that it no longer selects",
      replicas: 1,
      pods: [aPod("other", { owner, metadata: { labels: { app: "x" } } })],
      creates: 1,
      updates: ["other"],
    },
  ])("$name", ({ replicas, pods, creates = 0, deletes = [], updates = [] }) => {
    const { writes } = decide(aReplicaSet({ replicas }), world(pods), now);
    expect(writes.filter(({ op }) => op === "create")).toHaveLength(creates);
    expect(namesOf(writes, "delete")).toEqual(deletes);
    expect(namesOf(writes, "update")).toEqual(updates);
  });

  test("creates nothing once it is being deleted", () => {
    const self = aReplicaSet({ replicas: 3 }, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    expect(decide(self, world([]), now).writes).toEqual([]);
  });

  test("names pods by its uid, its revision and an index (O1)", () => {
    const names = () =>
      namesOf(decide(aReplicaSet({ replicas: 3 }), world([]), now).writes, "create");
    expect(names()).toEqual(names());
    expect(new Set(names()).size).toBe(3);
    const later = aReplicaSet({ replicas: 3 }, { resourceVersion: "8" });
    expect(namesOf(decide(later, world([]), now).writes, "create")).not.toEqual(names());
  });

  test("wakes when its next pod becomes available", () => {
    const pods = [4_000, 20_000].map((ago, i) =>
      aPod(`p${i}`, { ...ready, readySinceMs: now - ago }),
    );
    const turn = decide(aReplicaSet({ replicas: 2, minReadySeconds: 10 }), world(pods), now);
    expect(turn).toMatchObject({ status: { availableReplicas: 1 }, wakeAt: now + 6_000 });
  });

  test("does not count a pod on a node that cannot be reached as available", () => {
    const pods = [{ pod: up, nodeReady: false }];
    expect(decide(aReplicaSet({ replicas: 1 }), { pods }, now).status).toMatchObject({
      availableReplicas: 0,
    });
  });

  test("never sheds a ready pod while it keeps an unready one", () => {
    fc.assert(
      fc.property(anyPods, fc.nat(20), (pods, replicas) => {
        const { writes } = decide(aReplicaSet({ replicas }), world(pods), now);
        const shed = new Set(namesOf(writes, "delete"));
        const kept = pods.filter((pod) => isLive(pod) && !shed.has(pod.metadata.name));
        const shedReady = pods.some((pod) => shed.has(pod.metadata.name) && isReady(pod));
        expect(shedReady && kept.some((pod) => !isReady(pod))).toBe(false);
        const creates = namesOf(writes, "create").length;
        expect(kept.length + creates).toBe(replicas);
      }),
    );
  });
});

/** Only worlds that can exist: what is ready is bound. Names are fixed, so shrinking skips them. */
const anyPods = fc
  .array(fc.constantFrom({ owner }, { node: "n1", owner }, ready, failed), { maxLength: 20 })
  .map((states) => states.map((state, i) => aPod(`p${i}`, state)));

const isReady = (pod: Pod) => readySinceMs(pod) !== undefined;
const namesOf = (writes: readonly Write<Pod>[], op: Write<Pod>["op"]) =>
  writes.filter((write) => write.op === op).map(({ object }) => object.metadata.name);
