/** Scores, each alone: what it gives for a pod on a node. */
import { describe, expect, test } from "vitest";
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import { type Room, withClaim } from "../room.ts";
import { imageLocality, presentImages } from "./image-locality.ts";
import { preferredAffinity } from "./node-affinity.ts";
import { aClaim, aRoom, asks } from "./place-fixture.ts";
import { place } from "./place.ts";
import { allocationScore, balancedAllocation } from "./resources.ts";
import { preferUntainted } from "./taints.ts";

const filled = (room: Room, requests: Record<string, string>) =>
  withClaim(room, aClaim("other", asks(requests)));
const round = (score: number) => Math.round(score);

describe("balanced allocation", () => {
  test.each([
    { name: "used alike", asked: { cpu: "1", memory: "2Gi" }, score: 100 },
    { name: "CPU alone", asked: { cpu: "2" }, score: 50 },
    { name: "memory alone", asked: { memory: "4Gi" }, score: 50 },
    { name: "twice as much of one", asked: { cpu: "1", memory: "1Gi" }, score: 88 },
    {
      name: "beside one who uses the other",
      asked: { cpu: "1" },
      taken: { memory: "2Gi" },
      score: 100,
    },
    { name: "more than there is counts as all", asked: { cpu: "9", memory: "4Gi" }, score: 100 },
    { name: "neither", asked: { "example.com/gpu": "1" }, score: 0 },
  ])("$name", ({ asked, taken = {}, score }) => {
    const room = filled(aRoom("n1"), taken);
    expect(round(balancedAllocation.score(aClaim("web", asks(asked)), room))).toBe(score);
  });
});

describe("what is left, and what is used", () => {
  const half = asks({ cpu: "1", memory: "2Gi" });
  test.each([
    { strategy: "LeastAllocated" as const, goes: "n1" },
    { strategy: "MostAllocated" as const, goes: "n2" },
  ])("$strategy", ({ strategy, goes }) => {
    const rooms = [aRoom("n1"), filled(aRoom("n2"), { cpu: "500m", memory: "1Gi" })];
    const settings = { ...defaultScheduling, strategy };
    const scores = rooms.map((room) => allocationScore(settings).score(aClaim("web", half), room));
    for (const score of scores) expect(score).toBeGreaterThanOrEqual(0);
    for (const score of scores) expect(score).toBeLessThanOrEqual(100);
    expect([...place([aClaim("web", half)], rooms, { settings }).binds.keys()]).toEqual([goes]);
  });

  test("where the most is used one node fills before the next is begun", () => {
    const settings = { strategy: "MostAllocated" as const, defaultSpread: [] };
    const claims = Array.from({ length: 5 }, (_, nth) =>
      aClaim(`p${nth}`, asks({ cpu: "500m", memory: "1Gi" })),
    );
    const { binds } = place(claims, [aRoom("n1"), aRoom("n2")], { settings });
    expect([...binds.values()].map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([
      1, 4,
    ]);
  });
});

describe("image locality", () => {
  const MB = 1_000_000;
  const running = (...images: string[]) =>
    aClaim("web", { containers: images.map((image) => ({ image })) });
  const having = (name: string, sizeBytes: number) => ({
    images: [{ names: [name, `${name}@sha256:1`], sizeBytes }],
  });
  test.each([
    {
      name: "there everywhere",
      on: [
        ["web:v1", 500],
        ["web:v1", 500],
      ],
      score: 49,
    },
    {
      name: "on one of two counts half",
      on: [
        ["web:v1", 500],
        ["db:v1", 500],
      ],
      score: 23,
    },
    {
      name: "on the other",
      on: [
        ["db:v1", 500],
        ["web:v1", 500],
      ],
      score: 0,
    },
    {
      name: "small",
      on: [
        ["web:v1", 22],
        ["web:v1", 22],
      ],
      score: 0,
    },
    {
      name: "huge",
      on: [
        ["web:v1", 9_000],
        ["web:v1", 9_000],
      ],
      score: 100,
    },
    {
      name: "another tag",
      on: [
        ["web:v2", 500],
        ["web:v2", 500],
      ],
      score: 0,
    },
  ] as const)("$name", ({ on, score }) => {
    const rooms = on.map(([name, size], nth) => aRoom(`n${nth}`, {}, having(name, size * MB)));
    const claim = presentImages(rooms)(running("web:v1"));
    const [first] = rooms;
    expect(first && round(imageLocality.score(claim, first))).toBe(score);
  });

  test("an image without a tag is the latest", () => {
    const rooms = [aRoom("n1"), aRoom("n2", {}, having("host:5000/web:latest", 900 * MB))];
    const { binds } = place([running("host:5000/web")], rooms);
    expect([...binds.keys()]).toEqual(["n2"]);
  });

  test("pods share their judgement until an image is somewhere", () => {
    const known = presentImages([aRoom("n1", {}, having("web:v1", MB))]);
    const [web, db, mq] = [running("web:v1"), running("db:v1"), running("mq:v1")].map(known);
    expect(db?.sameAs).toBe(mq?.sameAs);
    expect(web?.sameAs).not.toBe(db?.sameAs);
  });
});

describe("preferences", () => {
  const preferring = (...values: readonly (readonly [string, number])[]) =>
    aClaim("web", {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: values.map(([value, weight]) => ({
            weight,
            preference: { matchExpressions: [{ key: "zone", operator: "In", values: [value] }] },
          })),
        },
      },
    });
  const room = aRoom("n1", { labels: { zone: "a" } });
  test.each([
    { name: "none", claim: preferring(), score: 0 },
    { name: "met", claim: preferring(["a", 7]), score: 100 },
    { name: "not met", claim: preferring(["b", 7]), score: 0 },
    { name: "by weight", claim: preferring(["a", 1], ["b", 3]), score: 25 },
  ])("for nodes: $name", ({ claim, score }) =>
    expect(preferredAffinity.score(claim, room)).toBe(score),
  );

  const avoided = { key: "old", effect: "PreferNoSchedule" };
  test.each([
    { name: "no taint", taints: [], score: 100 },
    { name: "one", taints: [avoided], score: 50 },
    {
      name: "one that keeps away is no preference",
      taints: [{ ...avoided, effect: "NoSchedule" }],
      score: 100,
    },
  ])("against taints: $name", ({ taints, score }) =>
    expect(preferUntainted.score(aClaim("web"), aRoom("n1", { taints }))).toBe(score),
  );
});

describe("the pods of one owner", () => {
  const owned = (name: string, spec = {}) =>
    aClaim(name, spec, { ownerReferences: [{ uid: "rs", controller: true }] });
  const zone = "topology.kubernetes.io/zone";
  /** Three nodes in the east, one in the west. */
  const rooms = ["east", "east", "east", "west"].map((name, nth) =>
    aRoom(`n${nth}`, { labels: { [zone]: name } }),
  );
  const zonesOf = ({ binds }: ReturnType<typeof place>) =>
    [...binds].flatMap(([node, claims]) =>
      claims.map(() => rooms.find(({ name }) => name === node)?.labels[zone] ?? ""),
    );
  const four = ["a", "b", "c", "d"];

  test("go to zones evenly, though one zone has more nodes", () => {
    const placed = place([owned("a"), owned("b")], rooms);
    expect(zonesOf(placed).toSorted()).toEqual(["east", "west"]);
  });
  test("that are there already count", () => {
    const [first, second, third, west] = rooms.map((room, nth) =>
      nth < 2 ? withClaim(room, owned(`old-${nth}`)) : room,
    );
    const after = [first, second, third, west].flatMap((room) => room ?? []);
    expect(zonesOf(place([owned("a")], after))).toEqual(["west"]);
  });
  test("go where there is room, whatever the zones", () => {
    const all = four.map((name) => owned(name, asks({ cpu: "2" })));
    expect(zonesOf(place(all, rooms)).toSorted()).toEqual(["east", "east", "east", "west"]);
  });
  test("go to nodes evenly where the settings leave zones out", () => {
    const settings = { ...defaultScheduling, defaultSpread: ["kubernetes.io/hostname"] };
    const placed = place(
      four.map((name) => owned(name)),
      rooms,
      { settings },
    );
    expect([...placed.binds.values()].map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  });
  test("are left to their own constraints where they have some", () => {
    const hostname = "kubernetes.io/hostname";
    const topologySpreadConstraints = [
      { topologyKey: hostname, maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway", labelSelector: {} },
    ];
    const all = four.map((name) => owned(name, { topologySpreadConstraints }));
    expect([...place(all, rooms).binds.keys()]).toHaveLength(4);
  });
});
