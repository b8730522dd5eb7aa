import { describe, expect, test } from "vitest";
import { admitStatus, admitUpdate } from "../../libs/admission/admit.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { podDisruptionBudget } from "../../libs/model/kinds/poddisruptionbudget.ts";
import { rebalanceAnnotation } from "./rebalancing.ts";
import { openWorld } from "./scheduler-world.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

const zone = "topology.kubernetes.io/zone";
const spread = {
  topologySpreadConstraints: [
    {
      topologyKey: zone,
      maxSkew: 1,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { app: "web" } },
    },
  ],
};
const owner = (uid: string) => ({
  ownerReferences: [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: uid, uid, controller: true },
  ],
});
const webPod = (moves: boolean) => ({
  ...owner("web"),
  labels: { app: "web" },
  annotations: { [rebalanceAnnotation]: String(moves) },
});

async function getReady(world: World, name: string): Promise<void> {
  await world.until(() => world.nodeOf(name) !== "");
  await world.change((context) => {
    const pod = context.view.get(podKind, "default", name);
    const conditions = [{ type: "Ready", status: "True" as const }];
    const status = { ...pod?.status, phase: "Running" as const, conditions };
    return pod && admitStatus(podKind, pod, status, context);
  });
}
const ending = ({ view }: World) =>
  view
    .list(podKind)
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => metadata.name);

/** Four pods in one zone; then there is another. */
async function drifted(world: World, moves = true): Promise<void> {
  await world.node("a1", {}, { [zone]: "a" });
  (await world.join())();
  for (const name of ["web-1", "web-2", "web-3", "web-4"]) {
    await world.pod(name, "100m", spread, webPod(moves));
    await getReady(world, name);
  }
  await world.node("b1", {}, { [zone]: "b" });
}

describe("pods that ask to be moved", () => {
  test("are, one at a time, until their spread is even, and no further", async () => {
    await using world = await openWorld();
    await drifted(world);
    await world.until(() => ending(world).length === 1);
    await world.clock.advance(300_000);
    expect(ending(world)).toHaveLength(1); // Its successor is not ready.
    const [first = ""] = ending(world);
    await world.remove(first);
    await world.pod("web-5", "100m", spread, webPod(true));
    await getReady(world, "web-5");
    expect(world.nodeOf("web-5")).toBe("b1");
    await world.until(() => ending(world).length === 1);
    const [second = ""] = ending(world);
    await world.remove(second);
    await world.pod("web-6", "100m", spread, webPod(true));
    await getReady(world, "web-6");
    expect(world.nodeOf("web-6")).toBe("b1");
    const written = world.view.revision;
    await world.clock.advance(600_000);
    expect([ending(world), world.view.revision]).toEqual([[], written]);
    expect(world.events).toContainEqual(
      expect.objectContaining({
        reason: "Rebalanced",
        message: `Moved from a1, for b1 say: ${zone} a has 4 of its pods, b 0`,
      }),
    );
  });

  test("are left where they are when they say so", async () => {
    await using world = await openWorld();
    await drifted(world, false);
    await world.clock.advance(600_000);
    expect(ending(world)).toEqual([]);
  });

  test("are left where they are while their budget allows no disruption", async () => {
    await using world = await openWorld();
    await world.create(podDisruptionBudget, {
      metadata: { name: "web", namespace: "default" },
      spec: { minAvailable: 4, selector: { matchLabels: { app: "web" } } },
    });
    await drifted(world);
    await world.clock.advance(600_000);
    expect(ending(world)).toEqual([]);
  });

  test("go where they are allowed to be when their node is so no more", async () => {
    await using world = await openWorld();
    await world.node("n1", {}, { disk: "ssd" });
    (await world.join())();
    const requirement = { key: "disk", operator: "In", values: ["ssd"] };
    const nodeSelectorTerms = [{ matchExpressions: [requirement] }];
    const affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    };
    await world.pod("web-1", "100m", { affinity }, webPod(true));
    await getReady(world, "web-1");
    await world.change((context) => {
      const node = context.view.get(nodeKind, undefined, "n1");
      const after = node && { ...node, metadata: { ...node.metadata, labels: { disk: "hdd" } } };
      return node && admitUpdate(nodeKind, node, after, context);
    });
    await world.clock.advance(60_000);
    expect(ending(world)).toEqual([]); // Nowhere is better.
    await world.node("n2", {}, { disk: "ssd" });
    await world.until(() => ending(world).length === 1);
  });
});
