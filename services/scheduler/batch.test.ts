import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitDelete, admitStatus } from "../../libs/admission/admit.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { storageClass } from "../../libs/model/kinds/storageclass.ts";
import { allocatedAnnotation, resizePending } from "../../libs/model/pod/allocated.ts";
import { claimOf, requestsOf } from "./claim.ts";
import { openWorld } from "./scheduler-world.ts";
import { roomOf } from "./room.ts";
import { aStorageClaim, aStorageClass, aVolume, boundTo, using } from "./storage-fixture.ts";

describe("a scheduler", () => {
  test("binds a pod: with its assignment, its condition and its event", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web");
    await world.until(() => world.nodeOf("web") === "n1");
    const web = world.view.get(podKind, "default", "web");
    expect(web?.status?.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
    expect(world.view.raw.get("assign.n1.default.web")?.value).toMatchObject({ name: "web" });
    expect(world.events).toMatchObject([
      { type: "Normal", reason: "Scheduled", message: "Successfully assigned default/web to n1" },
    ]);
  });

  test("says why a pod fits nowhere, once, and binds it when a node comes", async () => {
    await using world = await openWorld();
    await world.node("small", { cpu: "1" });
    (await world.join())();
    await world.pod("web", "1500m");
    const condition = () => world.view.get(podKind, "default", "web")?.status?.conditions?.[0];
    await world.until(() => condition() !== undefined);
    const message = "0/1 nodes are available: 1 Insufficient cpu.";
    expect(condition()).toMatchObject({ status: "False", reason: "Unschedulable", message });
    const written = world.view.revision;
    await world.clock.advance(300_000);
    expect(world.view.revision).toBe(written);
    const help =
      "it asks for 1.5 cpu; the largest node has 1 allocatable, and the most that is free is 1 on small: no node of these can ever take it";
    expect(world.events).toMatchObject([
      {
        type: "Warning",
        reason: "FailedScheduling",
        message: `${message} What would help: ${help}.`,
      },
    ]);
    await world.node("large", { cpu: "2" });
    await world.until(() => world.nodeOf("web") === "large");
    expect(condition()).toMatchObject({ status: "True" });
  });

  test("takes the room that a pod leaves when it ends or goes", async () => {
    await using world = await openWorld();
    await world.node("n1", { cpu: "1" });
    (await world.join())();
    await world.pod("first", "1");
    await world.until(() => world.nodeOf("first") === "n1");
    await world.pod("second", "1");
    await world.pod("third", "1");
    await world.clock.advance(1_000);
    await world.change((context) => {
      const first = context.view.get(podKind, "default", "first");
      return first && admitStatus(podKind, first, { ...first.status, phase: "Succeeded" }, context);
    });
    const bound = () => ["second", "third"].filter((name) => world.nodeOf(name) === "n1");
    await world.until(() => bound().length > 0);
    await world.change((context) => {
      const gone = context.view.get(podKind, "default", bound()[0] ?? "");
      return gone && admitDelete(podKind, gone, { gracePeriodSeconds: 0 }, context);
    });
    await world.until(() => bound().length === 1 && world.view.list(podKind).length === 2);
    expect(bound()).toHaveLength(1);
  });

  test("leaves to others what is theirs: gates, other schedulers, other instances", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())({ owns: (address) => address !== "pods/default/theirs" });
    await world.pod("gated", "1m", { schedulingGates: [{ name: "example.com/wait" }] });
    await world.pod("other", "1m", { schedulerName: "other" });
    await world.pod("theirs");
    await world.pod("mine");
    await world.until(() => world.nodeOf("mine") === "n1");
    await world.clock.advance(1_000);
    expect(["gated", "other", "theirs"].map((name) => world.nodeOf(name))).toEqual(["", "", ""]);
  });

  test("binds what waits for storage once that is there, and says where it is used", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "1m", using("data"));
    const why = () => world.view.get(podKind, "default", "web")?.status?.conditions?.[0]?.message;
    await world.until(() => why() !== undefined);
    expect(why()).toBe('0/1 nodes are available: persistentvolumeclaim "data" not found.');
    await world.create(persistentVolumeClaim, aStorageClaim("data"));
    await world.until(() => why()?.includes("immediate") === true);
    await world.create(storageClass, aStorageClass("berth.dev/host-path"));
    await world.until(() => world.nodeOf("web") === "n1");
    expect(world.view.get(persistentVolumeClaim, "default", "data")).toMatchObject({
      metadata: { annotations: { "volume.kubernetes.io/selected-node": "n1" } },
    });
  });

  test("keeps the volume that it chose a node for", async () => {
    await using world = await openWorld();
    await world.node("n1");
    await world.create(persistentVolumeClaim, aStorageClaim("data"));
    await world.create(storageClass, aStorageClass("kubernetes.io/no-provisioner"));
    await world.create(persistentVolume, aVolume("v"));
    await world.change((context) => {
      const volume = context.view.get(persistentVolume, undefined, "v");
      return volume && admitStatus(persistentVolume, volume, { phase: "Available" }, context);
    });
    (await world.join())();
    await world.pod("web", "1m", using("data"));
    await world.until(() => world.nodeOf("web") === "n1");
    const claim = world.view.get(persistentVolumeClaim, "default", "data");
    expect(world.view.get(persistentVolume, undefined, "v")).toMatchObject({
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: { claimRef: { namespace: "default", name: "data", uid: claim?.metadata.uid } },
    });
  });

  test("ends when it is told to, and binds nothing from then on", async () => {
    await using world = await openWorld();
    await world.node("n1");
    const scheduling = (await world.join())();
    scheduling.stop.abort();
    await world.pod("web");
    let ended = false;
    const waited = scheduling.done.then(() => {
      ended = true;
    });
    await world.until(() => ended);
    await waited;
    expect(world.nodeOf("web")).toBe("");
  });
});

describe("several schedulers", () => {
  test.each([
    {
      name: "that share the pods",
      share: (address: string, nth: number) => address.endsWith(`-${nth}`),
    },
    { name: "that all act on everything", share: () => true },
  ])("$name never overcommit a node, and bind what fits", async ({ share }) => {
    const cpus = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cpus, fc.nat(), async (cpus, seed) => {
        await using world = await openWorld(seed);
        for (const name of ["n1", "n2", "n3"]) await world.node(name, { cpu: "10" });
        let overcommitted = 0;
        using _watched = world.replica.subscribe(() => {
          for (const node of world.view.list(nodeKind)) {
            const pods = world.view.list(podKind, { node: node.metadata.name });
            const { taken, allocatable } = roomOf(node, pods);
            if ((taken["cpu"] ?? 0) > (allocatable["cpu"] ?? 0)) overcommitted += 1;
          }
        });
        for (const [nth, cpu] of cpus.entries()) await world.pod(`p${nth}-${nth % 3}`, String(cpu));
        const clusters = [await world.join(0.1), await world.join(0.1), await world.join(0.1)];
        for (const [nth, join] of clusters.entries())
          join({ owns: (address) => share(address, nth) });
        const settled = () =>
          world.view.list(podKind).every(({ status }) => (status?.conditions ?? []).length > 0);
        await world.until(settled);
        await world.clock.advance(60_000);
        expect(overcommitted).toBe(0);
        const rooms = world.view
          .list(nodeKind)
          .map((node) => roomOf(node, world.view.list(podKind, { node: node.metadata.name })));
        for (const pod of world.view.list(podKind)) {
          if ((pod.spec.nodeName ?? "") !== "") continue;
          const { requests } = claimOf(pod);
          const fits = rooms.some(
            ({ taken, allocatable }) =>
              (taken["cpu"] ?? 0) + (requests["cpu"] ?? 0) <= (allocatable["cpu"] ?? 0),
          );
          expect(fits).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });
});

test("several schedulers bind pods that share a claim to one node", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 8 }), async (seed, count) => {
      await using world = await openWorld(seed);
      for (const name of ["n1", "n2", "n3"]) await world.node(name);
      await world.create(storageClass, aStorageClass("berth.dev/host-path"));
      for (const name of ["c0", "c1"])
        await world.create(persistentVolumeClaim, aStorageClaim(name));
      for (let nth = 0; nth < count; nth += 1)
        await world.pod(`p${nth}-${nth % 3}`, "1m", using(`c${nth % 2}`));
      const clusters = [await world.join(0.1), await world.join(0.1), await world.join(0.1)];
      for (const [nth, join] of clusters.entries())
        join({ owns: (address) => address.endsWith(`-${nth}`) });
      const bound = () =>
        world.view.list(podKind).filter(({ spec }) => (spec.nodeName ?? "") !== "");
      await world.until(() => bound().length === count);
      for (const claim of ["default/c0", "default/c1"]) {
        const homes = world.view.list(podKind, { claim }).map(({ spec }) => spec.nodeName);
        expect(new Set(homes).size).toBe(1);
      }
    }),
    { numRuns: 10 },
  );
});

test("several schedulers never bind two pods with a claim that one may use", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      await using world = await openWorld(seed);
      for (const name of ["n1", "n2", "n3"]) await world.node(name);
      await world.create(persistentVolume, aVolume("v"));
      const accessModes = ["ReadWriteOncePod"];
      const [spec, done] = boundTo("v");
      const claim = aStorageClaim("data", { ...spec, accessModes }, done);
      await world.create(persistentVolumeClaim, claim);
      for (let nth = 0; nth < 6; nth += 1)
        await world.pod(`p${nth}-${nth % 3}`, "1m", using("data"));
      const clusters = [await world.join(0.1), await world.join(0.1), await world.join(0.1)];
      for (const [nth, join] of clusters.entries())
        join({ owns: (address) => address.endsWith(`-${nth}`) });
      const pods = () => world.view.list(podKind);
      await world.until(() => pods().every(({ status }) => status?.conditions?.length === 1));
      await world.clock.advance(60_000);
      expect(pods().filter(({ spec: of }) => (of.nodeName ?? "") !== "")).toHaveLength(1);
    }),
    { numRuns: 10 },
  );
});

describe("a pod that is to grow", () => {
  const conditionOf = (world: World, name: string) =>
    podOf(world, name).status?.conditions?.find(({ type }) => type === resizePending);
  const assigned = (world: World, name: string) =>
    world.view.raw.get(`assign.n1.default.${name}`)?.value as
      | { readonly spec: ReturnType<typeof podOf>["spec"] }
      | undefined;
  const cpuOf = (spec: ReturnType<typeof podOf>["spec"] | undefined) =>
    spec?.containers[0]?.resources.requests?.["cpu"];

  test("gets what fits, and its node is told", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "1");
    await world.until(() => world.nodeOf("web") === "n1");
    await world.resize("web", "4");
    await world.until(() => cpuOf(assigned(world, "web")?.spec) === "4");
    expect(podOf(world, "web").metadata.annotations).not.toHaveProperty(allocatedAnnotation);
    expect(conditionOf(world, "web")).toBeUndefined();
  });

  test("waits for room, says so once, and takes it before a pod that is new", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "1");
    await world.pod("other", "3");
    await world.until(() => world.nodeOf("other") === "n1" && world.nodeOf("web") === "n1");
    await world.resize("web", "2");
    await world.until(() => conditionOf(world, "web") !== undefined);
    const message =
      "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000";
    expect(conditionOf(world, "web")).toMatchObject({
      status: "True",
      reason: "Deferred",
      message,
      observedGeneration: 2,
    });
    expect(world.events.at(-1)).toMatchObject({
      reason: "ResizeDeferred",
      message: `Pod resize Deferred: ${message}`,
    });
    expect(cpuOf(assigned(world, "web")?.spec)).toBe("1");
    await world.pod("late", "3");
    await world.clock.advance(1_000);
    const written = world.view.revision;
    await world.clock.advance(300_000);
    expect(world.view.revision).toBe(written);
    await world.change((context) => {
      const other = context.view.get(podKind, "default", "other");
      return other && admitDelete(podKind, other, { gracePeriodSeconds: 0 }, context);
    });
    await world.until(() => cpuOf(assigned(world, "web")?.spec) === "2");
    await world.clock.advance(1_000);
    expect(conditionOf(world, "web")).toBeUndefined();
    expect(world.nodeOf("late")).toBe("");
  });

  test("gets less than what its node will never have, when it asks for that", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "1");
    await world.until(() => world.nodeOf("web") === "n1");
    await world.resize("web", "9");
    await world.until(() => conditionOf(world, "web")?.reason === "Infeasible");
    await world.resize("web", "1500m");
    await world.until(() => cpuOf(assigned(world, "web")?.spec) === "1500m");
    expect(conditionOf(world, "web")).toBeUndefined();
  });

  test("is told that its node will never do, until that has more", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "1");
    await world.until(() => world.nodeOf("web") === "n1");
    await world.resize("web", "9");
    await world.until(() => conditionOf(world, "web") !== undefined);
    expect(conditionOf(world, "web")).toMatchObject({
      reason: "Infeasible",
      message: "Node didn't have enough capacity: cpu, requested: 9000, capacity: 4000",
    });
    await world.change((context) => {
      const node = context.view.get(nodeKind, undefined, "n1");
      const allocatable = { ...node?.status?.allocatable, cpu: "9" };
      return node && admitStatus(nodeKind, node, { ...node.status, allocatable }, context);
    });
    await world.until(() => cpuOf(assigned(world, "web")?.spec) === "9");
  });

  test("makes room for a pod that waits, where it becomes smaller", async () => {
    await using world = await openWorld();
    await world.node("n1");
    (await world.join())();
    await world.pod("web", "3");
    await world.until(() => world.nodeOf("web") === "n1");
    await world.pod("late", "3");
    await world.clock.advance(1_000);
    expect(world.nodeOf("late")).toBe("");
    await world.resize("web", "1");
    await world.until(() => world.nodeOf("late") === "n1");
  });

  test("never overcommits its node (B1), whoever binds and grows what at once", async () => {
    const cpus = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cpus, cpus, fc.nat(), async (sizes, wanted, seed) => {
        await using world = await openWorld(seed);
        for (const name of ["n1", "n2"]) await world.node(name, { cpu: "10" });
        const over = world.overcommitted();
        const owns = (nth: number) => (address: string) => address.endsWith(`-${nth}`);
        for (const [nth, cpu] of sizes.entries()) await world.pod(`p${nth}-0`, String(cpu));
        const first = (await world.join())();
        await world.clock.advance(10_000);
        first.stop.abort();
        // What two find when they begin, each at the same cut: pods to grow, and pods to bind.
        for (const [nth, cpu] of wanted.entries()) {
          if (nth < sizes.length) await world.resize(`p${nth}-0`, String(cpu));
          await world.pod(`q${nth}-1`, String(cpu));
        }
        const clusters = [await world.join(0.1), await world.join(0.1)];
        for (const [nth, join] of clusters.entries()) join({ owns: owns(nth) });
        await world.clock.advance(60_000);
        expect(over()).toBe(0);
        for (const pod of world.view.list(podKind)) {
          const isSettled = pod.status?.conditions?.some(
            ({ type, status }) =>
              type === resizePending || (type === "PodScheduled" && status === "False"),
          );
          if (isSettled !== true) expect(claimOf(pod).requests).toEqual(requestsOf(pod.spec));
        }
      }),
      { numRuns: 20 },
    );
  });
});

type World = Awaited<ReturnType<typeof openWorld>>;
const podOf = ({ view }: World, name: string) =>
  view.get(podKind, "default", name) ?? expect.unreachable(`${name} is not there`);
