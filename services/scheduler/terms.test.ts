/** Required terms that span nodes, kept by schedulers that all act (B2). */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { claimOf } from "./claim.ts";
import { openWorld } from "./scheduler-world.ts";
import { listTerms } from "./terms.ts";

const app = (value: string) => ({ labels: { app: value } });
const selects = (value: string) => ({ matchLabels: { app: value } });
const apartFrom = (value: string) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "zone", labelSelector: selects(value) },
      ],
    },
  },
});
const nearTo = (value: string) => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "zone", labelSelector: selects(value) },
      ],
    },
  },
});
const evenly = (value: string) => ({
  topologySpreadConstraints: [
    {
      topologyKey: "zone",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: selects(value),
    },
  ],
});

type World = Awaited<ReturnType<typeof openWorld>>;
const zoneOf = (world: World, name: string) => world.labelsOf(world.nodeOf(name))["zone"];
const boundIn = (world: World) =>
  world.view
    .list(podKind)
    .filter(({ spec }) => (spec.nodeName ?? "") !== "")
    .map(({ metadata }) => zoneOf(world, metadata.name));

/** Many nodes seldom make two schedulers meet at one (B1): what is left is the term's key. */
async function inTwoZones(seed = 1, nodes = 2): Promise<World> {
  const world = await openWorld(seed);
  for (let nth = 1; nth <= nodes; nth += 1) {
    for (const zone of ["a", "b"]) await world.node(`${zone}${nth}`, {}, { zone });
  }
  return world;
}

describe("a scheduler", () => {
  test("lists a term before it binds under it, and forgets it with its last pod", async () => {
    await using world = await inTwoZones();
    (await world.join())();
    await world.pod("one", "1m", apartFrom("web"), app("web"));
    await world.until(() => world.nodeOf("one") !== "");
    const listed = () => Object.keys((world.view.raw.get("terms")?.value as object) ?? {});
    expect(listed()).toHaveLength(1);
    expect(world.view.raw.get(`term.${listed()[0]}`)).toBeDefined();
    const [first] = listed();
    await world.remove("one");
    await world.pod("two", "1m", apartFrom("db"), app("db"));
    await world.until(() => world.nodeOf("two") !== "");
    expect(listed()).toHaveLength(1);
    expect(listed()).not.toEqual([first]);
    expect(world.view.raw.get(`term.${first}`)).toBeUndefined();
  });

  test("binds what must be near another once that has a node", async () => {
    await using world = await inTwoZones();
    (await world.join())();
    await world.pod("web", "1m", nearTo("db"));
    const why = () => world.view.get(podKind, "default", "web")?.status?.conditions?.[0]?.message;
    await world.until(() => why() !== undefined);
    expect(why()).toBe("0/4 nodes are available: 4 node(s) didn't match pod affinity rules.");
    await world.pod("db", "1m", {}, app("db"));
    await world.until(() => world.nodeOf("web") !== "");
    expect(zoneOf(world, "web")).toBe(zoneOf(world, "db"));
  });

  test("binds what an even spread held back once the emptiest zone has got its own", async () => {
    await using world = await inTwoZones();
    (await world.join())();
    const inB = { nodeSelector: { zone: "b" } };
    await world.pod("a-1", "1m", { ...evenly("web"), nodeName: "a1" }, app("web"));
    const all = { ...evenly("web").topologySpreadConstraints[0], nodeAffinityPolicy: "Ignore" };
    const inA = { nodeSelector: { zone: "a" }, topologySpreadConstraints: [all] };
    await world.pod("a-2", "1m", inA, app("web"));
    await world.until(
      () => world.view.get(podKind, "default", "a-2")?.status?.conditions?.length === 1,
    );
    expect(world.nodeOf("a-2")).toBe("");
    await world.pod("b-1", "1m", inB, app("web"));
    await world.until(() => world.nodeOf("a-2") !== "");
  });

  test("binds what another kept out once that has gone", async () => {
    await using world = await inTwoZones();
    (await world.join())();
    for (const name of ["a", "b"]) await world.pod(name, "1m", apartFrom("web"), app("web"));
    await world.until(() => boundIn(world).length === 2);
    await world.pod("c", "1m", apartFrom("web"), app("web"));
    await world.until(
      () => world.view.get(podKind, "default", "c")?.status?.conditions?.length === 1,
    );
    expect(world.nodeOf("c")).toBe("");
    await world.remove("a");
    await world.until(() => world.nodeOf("c") !== "");
  });
});

describe("several schedulers", () => {
  const together = async (
    seed: number,
    pods: readonly { spec: Readonly<Record<string, unknown>>; labels: Record<string, string> }[],
    check: (world: World) => void,
  ) => {
    await using world = await inTwoZones(seed, 8);
    // The terms are listed already, so that no scheduler waits for that.
    await world.change(({ view }) => {
      const claims = pods.map(({ spec, labels }) =>
        claimOf({
          metadata: { name: "any", namespace: "default", labels },
          spec: { containers: [], ...spec },
        }),
      );
      return { object: undefined, ops: listTerms(claims, view) };
    });
    for (const [nth, { spec, labels }] of pods.entries()) {
      await world.pod(`p${nth}-${nth % 3}`, "1m", spec, { labels });
    }
    const clusters = [await world.join(0.1), await world.join(0.1), await world.join(0.1)];
    for (const [nth, join] of clusters.entries())
      join({ owns: (address) => address.endsWith(`-${nth}`) });
    const all = () => world.view.list(podKind);
    await world.until(() => {
      check(world);
      return all().every(({ status }) => status?.conditions?.length === 1);
    });
    await world.clock.advance(60_000);
    check(world);
  };
  const runs = { numRuns: 10 };
  const seeds = fc.integer({ min: 1, max: 1_000_000 });

  test("never bind two to a zone that will not have each other", async () => {
    const pods = Array.from({ length: 6 }, () => ({
      spec: apartFrom("web"),
      labels: { app: "web" },
    }));
    await fc.assert(
      fc.asyncProperty(seeds, (seed) =>
        together(seed, pods, (world) => {
          const zones = boundIn(world);
          expect(new Set(zones).size).toBe(zones.length);
        }),
      ),
      runs,
    );
  });

  test("never bind one where another, that says so, will not have it", async () => {
    const pods = Array.from({ length: 6 }, (_, nth) =>
      nth % 2 === 0
        ? { spec: apartFrom("web"), labels: { app: "db" } }
        : { spec: {}, labels: { app: "web" } },
    );
    await fc.assert(
      fc.asyncProperty(seeds, (seed) =>
        together(seed, pods, (world) => {
          const bound = world.view.list(podKind).filter(({ spec }) => (spec.nodeName ?? "") !== "");
          const zones = (value: string) =>
            bound
              .filter(({ metadata }) => metadata.labels?.["app"] === value)
              .map(({ metadata }) => zoneOf(world, metadata.name));
          for (const zone of zones("db")) expect(zones("web")).not.toContain(zone);
        }),
      ),
      runs,
    );
  });

  test("never spread more unevenly than is allowed", async () => {
    const pods = Array.from({ length: 9 }, () => ({ spec: evenly("web"), labels: { app: "web" } }));
    await fc.assert(
      fc.asyncProperty(seeds, (seed) =>
        together(seed, pods, (world) => {
          const zones = boundIn(world);
          const count = (zone: string) => zones.filter((one) => one === zone).length;
          expect(Math.abs(count("a") - count("b"))).toBeLessThanOrEqual(1);
        }),
      ),
      runs,
    );
  });

  test("never begin one group in two zones", async () => {
    const pods = Array.from({ length: 6 }, () => ({ spec: nearTo("web"), labels: { app: "web" } }));
    await fc.assert(
      fc.asyncProperty(seeds, (seed) =>
        together(seed, pods, (world) => {
          expect(new Set(boundIn(world)).size).toBeLessThanOrEqual(1);
        }),
      ),
      runs,
    );
  });
});
