import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitStatus } from "../../libs/admission/admit.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { podDisruptionBudget } from "../../libs/model/kinds/poddisruptionbudget.ts";
import { priorityClass } from "../../libs/model/kinds/priorityclass.ts";
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import { openWorld } from "./scheduler-world.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

const important = { priorityClassName: "important" };

async function withClasses(world: World): Promise<void> {
  for (const [name, value] of [
    ["middling", 50],
    ["important", 100],
  ] as const)
    await world.create(priorityClass, { metadata: { name }, value });
}

const podIn = ({ view }: World, name: string) => view.get(podKind, "default", name);
const isEnding = (world: World, name: string) =>
  podIn(world, name)?.metadata.deletionTimestamp !== undefined;
const nominated = (world: World, name: string) => podIn(world, name)?.status?.nominatedNodeName;

describe("a pod of a higher priority", () => {
  test("displaces one of a lower, waits until it has gone, and says so", async () => {
    await using world = await openWorld();
    await withClasses(world);
    await world.node("n1", { cpu: "1" });
    (await world.join())();
    await world.pod("lesser", "1");
    await world.until(() => world.nodeOf("lesser") === "n1");
    await world.pod("better", "1", important);
    await world.until(() => isEnding(world, "lesser"));
    expect(nominated(world, "better")).toBe("n1");
    expect(podIn(world, "lesser")?.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(podIn(world, "lesser")?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", reason: "PreemptionByScheduler" }),
    );
    const uid = podIn(world, "better")?.metadata.uid;
    const message = `Preempted by pod ${uid} on node n1`;
    await world.until(() => world.events.some((one) => one.reason === "Preempted"));
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: "Normal", reason: "Preempted", message }),
    );
    // What replaces it has no claim to the room, nor has what comes besides.
    await world.pod("replacement", "1");
    const written = await settledAt(world);
    await world.clock.advance(60_000);
    expect(world.view.revision).toBe(written);
    await world.remove("lesser");
    await world.until(() => world.nodeOf("better") === "n1");
    expect(nominated(world, "better")).toBeUndefined();
    expect(world.nodeOf("replacement")).toBe("");
    await world.remove("better");
    await world.until(() => world.nodeOf("replacement") === "n1");
  });

  test("takes from a budget what it allows, and no more", async () => {
    await using world = await openWorld();
    await withClasses(world);
    await world.node("n1", { cpu: "2" });
    (await world.join())();
    const labels = { app: "web" };
    for (const name of ["web-1", "web-2"]) {
      await world.pod(name, "1", {}, { labels });
      await world.until(() => world.nodeOf(name) === "n1");
      await world.change((context) => {
        const pod = context.view.get(podKind, "default", name);
        const conditions = [{ type: "Ready", status: "True" as const }];
        const status = { ...pod?.status, phase: "Running" as const, conditions };
        return pod && admitStatus(podKind, pod, status, context);
      });
    }
    await world.create(podDisruptionBudget, {
      metadata: { name: "web", namespace: "default" },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
    const counted = (disruptionsAllowed: number) =>
      world.change((context) => {
        const budget = context.view.get(podDisruptionBudget, "default", "web");
        const status = {
          observedGeneration: budget?.metadata.generation ?? 1,
          disruptionsAllowed,
          currentHealthy: 1 + disruptionsAllowed,
          desiredHealthy: 1,
          expectedPods: 2,
        };
        return budget && admitStatus(podDisruptionBudget, budget, status, context);
      });
    await counted(1);
    await world.pod("large", "2", important);
    await world.until(() => podIn(world, "large")?.status?.conditions?.[0]?.status === "False");
    expect([isEnding(world, "web-1"), isEnding(world, "web-2")]).toEqual([false, false]);
    await world.pod("small", "1", important);
    const ending = () => ["web-1", "web-2"].filter((name) => isEnding(world, name));
    await world.until(() => ending().length > 0);
    expect(ending()).toHaveLength(1);
    const budget = () => world.view.get(podDisruptionBudget, "default", "web")?.status;
    expect(budget()?.disruptionsAllowed).toBe(0);
    await world.remove(ending()[0] ?? "");
    await world.until(() => world.nodeOf("small") === "n1");
    // A budget that allows more wakes who waited for that.
    await world.pod("next", "1", important);
    await world.until(() => podIn(world, "next")?.status?.conditions?.[0]?.status === "False");
    expect(ending()).toHaveLength(0);
    await counted(1);
    await world.until(() => ending().length === 1);
    expect(nominated(world, "next")).toBe("n1");
  });

  test("gives up a nomination that came to nothing", async () => {
    await using world = await openWorld();
    await withClasses(world);
    await world.node("n1", { cpu: "1" });
    (await world.join())();
    await world.pod("lesser", "1");
    await world.until(() => world.nodeOf("lesser") === "n1");
    await world.pod("middling", "1", { priorityClassName: "middling" });
    await world.until(() => nominated(world, "middling") === "n1");
    await world.pod("better", "1", important);
    await world.until(() => nominated(world, "better") === "n1");
    await world.remove("lesser");
    await world.until(() => world.nodeOf("better") === "n1");
    await world.until(() => nominated(world, "middling") === undefined);
    expect(world.nodeOf("middling")).toBe("");
    expect(isEnding(world, "better")).toBe(false);
  });
});

/** The revision at which nothing more is written. */
async function settledAt(world: World): Promise<number> {
  let last = -1;
  while (last !== world.view.revision) {
    last = world.view.revision;
    await world.clock.advance(5_000);
  }
  return last;
}

describe("several schedulers", () => {
  test("displace for each other no more than is needed, and come to rest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        await using world = await openWorld(seed);
        const random = seededRandom(seed);
        await withClasses(world);
        for (const node of ["n1", "n2", "n3"]) await world.node(node, { cpu: "4" });
        const over = world.overcommitted();
        const joins = [await world.join(0.05), await world.join(0.05)];
        for (const join of joins) join(); // Each acts on everything.
        for (let nth = 0; nth < 12; nth += 1) await world.pod(`low-${nth}`, "1");
        await world.until(() => world.view.list(podKind).every(({ spec }) => spec.nodeName));
        const wanted = 1 + Math.floor(random.next() * 8);
        for (let nth = 0; nth < wanted; nth += 1) await world.pod(`high-${nth}`, "1", important);
        const highs = () => Array.from({ length: wanted }, (_, nth) => `high-${nth}`);
        const isSeenTo = (name: string) =>
          world.nodeOf(name) !== "" || nominated(world, name) !== undefined;
        await world.until(() => highs().every(isSeenTo));
        await settledAt(world);
        const ending = world.view
          .list(podKind)
          .filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        expect(ending).toHaveLength(wanted);
        for (const { metadata } of ending) await world.remove(metadata.name);
        await world.until(() => highs().every((name) => world.nodeOf(name) !== ""));
        expect(over()).toBe(0);
      }),
      { numRuns: 10 },
    );
  });
});
