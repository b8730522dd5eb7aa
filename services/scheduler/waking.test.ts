import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitDelete, admitUpdate } from "../../libs/admission/admit.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { priorityClass } from "../../libs/model/kinds/priorityclass.ts";
import { budgetsAt } from "./budgets.ts";
import { type Claim, claimOf, isPending } from "./claim.ts";
import { apart, app, type Described, near, podOf } from "./decisions/neighbours-fixture.ts";
import { place } from "./decisions/place.ts";
import { roomOf } from "./room.ts";
import { rooms } from "./rooms.ts";
import { openWorld } from "./scheduler-world.ts";
import { labelsIn } from "./turn.ts";
import { helpedBy, type News, noNews } from "./waking.ts";

const claimed = (of: Described = {}): Claim => claimOf(podOf("new", of));
const asking = (cpu: string): Described => ({
  containers: [{ resources: { requests: { cpu } } }],
});
const room = (
  name: string,
  { cpu = "2", taints = [] }: { cpu?: string; taints?: { key: string; effect: string }[] } = {},
  pods: readonly Described[] = [],
) =>
  roomOf(
    {
      metadata: { name, labels: { host: name, zone: "a" } },
      spec: { taints },
      status: { allocatable: { cpu, pods: "110" } },
    },
    pods.map((one, nth) => podOf(`there-${nth}`, one)),
  );

type Case = {
  readonly name: string;
  readonly pod?: Described;
  readonly home?: string;
  readonly nodes?: readonly ReturnType<typeof room>[];
  readonly filled?: string;
  readonly nominated?: string;
  readonly come?: Described;
  readonly gone?: Described;
  readonly moved?: readonly ("nodes" | "namespaces" | "storage" | "budgets")[];
  readonly helps: boolean;
};

const web = { labels: { app: "web" } };
const db = { labels: { app: "db" } };
const byHost = (of: string) => ({ topologyKey: "host", labelSelector: app(of) });
const evenly: Described = {
  ...web,
  topologySpreadConstraints: [
    {
      topologyKey: "zone",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: app("web"),
    },
  ],
};
const withClaim: Described = {
  volumes: [{ persistentVolumeClaim: { claimName: "data" } }],
};

describe("a pod that found no node", () => {
  test.each<Case>([
    {
      name: "is helped by a node that has room for it",
      pod: asking("1"),
      nodes: [room("n1")],
      helps: true,
    },
    {
      name: "is not helped by a node that is too small",
      pod: asking("3"),
      nodes: [room("n1")],
      helps: false,
    },
    {
      name: "is not helped by room on a node that it may not go to",
      pod: asking("1"),
      nodes: [room("n1", { taints: [{ key: "gpu", effect: "NoSchedule" }] })],
      helps: false,
    },
    {
      name: "is helped by a node where its lessers have the room",
      pod: { ...asking("2"), priority: 5 },
      nodes: [room("n1", {}, [asking("2")])],
      helps: true,
    },
    {
      name: "is not helped by a node where its lessers have the room, if it displaces none",
      pod: { ...asking("2"), priority: 5, preemptionPolicy: "Never" },
      nodes: [room("n1", {}, [asking("2")])],
      helps: false,
    },
    {
      name: "is not helped by a node where its equals have the room",
      pod: asking("2"),
      nodes: [room("n1", {}, [asking("2")])],
      helps: false,
    },
    { name: "is helped by whom it must be near", pod: near(byHost("db")), come: db, helps: true },
    { name: "is not helped by others that come", pod: near(byHost("db")), come: web, helps: false },
    { name: "is not helped by whom it avoids", pod: apart(byHost("db")), come: db, helps: false },
    { name: "is helped when whom it avoids goes", pod: apart(byHost("db")), gone: db, helps: true },
    { name: "is not helped when others go", pod: apart(byHost("db")), gone: web, helps: false },
    {
      name: "is helped when one goes that avoided it",
      pod: web,
      gone: { ...db, ...apart(byHost("web")) },
      helps: true,
    },
    { name: "is helped when the emptiest domain fills", pod: evenly, come: web, helps: true },
    { name: "is helped when the fullest domain empties", pod: evenly, gone: web, helps: true },
    {
      name: "is not helped by those that its spread does not count",
      pod: evenly,
      come: db,
      gone: db,
      helps: false,
    },
    {
      name: "that spreads is helped by any change of nodes",
      pod: evenly,
      moved: ["nodes"],
      helps: true,
    },
    { name: "without terms is not helped by any change of nodes", moved: ["nodes"], helps: false },
    {
      name: "is helped by namespaces, whose labels say whom a term means",
      moved: ["namespaces"],
      helps: true,
    },
    { name: "with a claim is helped by storage", pod: withClaim, moved: ["storage"], helps: true },
    { name: "without a claim is not helped by storage", moved: ["storage"], helps: false },
    { name: "is helped by a budget that allows more", moved: ["budgets"], helps: true },
    {
      name: "is not helped by a budget if it displaces none",
      pod: { preemptionPolicy: "Never" },
      moved: ["budgets"],
      helps: false,
    },
    { name: "that is to grow is helped by its node", home: "n1", nodes: [room("n1")], helps: true },
    {
      name: "that is to grow is not helped by another node",
      home: "n1",
      nodes: [room("n2")],
      helps: false,
    },
    {
      name: "for which room is made is helped when that node changes",
      pod: asking("9"),
      nominated: "n1",
      nodes: [room("n1")],
      helps: true,
    },
    {
      name: "for which room is made is helped when another comes there",
      nominated: "n1",
      filled: "n1",
      helps: true,
    },
    {
      name: "for which room is made is not helped when others come elsewhere",
      nominated: "n1",
      filled: "n2",
      helps: false,
    },
  ])(
    "$name",
    ({ pod, home = "", nominated, nodes = [], filled, come, gone, moved = [], helps }) => {
      const news: News = noNews();
      if (filled !== undefined) news.filled.add(filled);
      for (const one of nodes) news.nodes.add(one.name);
      for (const [to, of] of [
        [news.come, come],
        [news.gone, gone],
      ] as const)
        if (of !== undefined) to.set(claimed(of).cohort, claimed(of));
      for (const one of moved) news.moved.add(one);
      const roomAt = (node: string) => nodes.find(({ name }) => name === node);
      const isHelped = helpedBy(news, { roomAt, labelsOf: () => ({}) });
      const claim = { ...claimed(pod), ...(nominated !== undefined && { nominated }) };
      expect(isHelped({ claim, home })).toBe(helps);
    },
  );
});

type World = Awaited<ReturnType<typeof openWorld>>;

/** What of those that wait could be placed, or have room made, although nobody tried. */
function overlooked(world: World): readonly string[] {
  const { view } = world;
  const { rooms: all, cohorts, nominated } = rooms(view, world.replica).now();
  const around = { cohorts, labelsOf: labelsIn(view), nominated, budgets: budgetsAt(view) };
  return view
    .list(podKind)
    .filter(isPending)
    .flatMap((pod) => {
      const claim = claimOf(pod);
      const { binds, refused } = place([claim], all, around);
      const node = refused[0]?.nomination?.node ?? "";
      return binds.size > 0 || node !== claim.nominated ? [claim.address] : [];
    });
}

const zone = (of: string) => ({
  topologyKey: "topology.kubernetes.io/zone",
  labelSelector: app(of),
});
const kinds: readonly (Described & { readonly priorityClassName?: string })[] = [
  {},
  { priorityClassName: "high" },
  { ...apart(zone("db")), labels: { app: "db" } },
  { ...near(zone("db")), labels: { app: "web" } },
  {
    labels: { app: "web" },
    topologySpreadConstraints: [
      {
        topologyKey: "topology.kubernetes.io/zone",
        maxSkew: 1,
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: app("web"),
      },
    ],
  },
];

test("whatever happens, none is overlooked that could be placed", async () => {
  const anyAct = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        act: fc.constant("pod" as const),
        cpu: fc.integer({ min: 1, max: 3 }),
        kind: fc.nat(kinds.length - 1),
      }),
    },
    { weight: 3, arbitrary: fc.record({ act: fc.constant("remove" as const), nth: fc.nat(9) }) },
    {
      weight: 2,
      arbitrary: fc.record({ act: fc.constant("node" as const), zone: fc.constantFrom("a", "b") }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("cordon" as const), nth: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("move" as const), nth: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("lose" as const), nth: fc.nat(9) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { minLength: 3, maxLength: 14 }), async (acts) => {
      await using world = await openWorld();
      await world.create(priorityClass, { metadata: { name: "high" }, value: 10 });
      (await world.join())();
      const nodes = () => world.view.list(nodeKind).map(({ metadata }) => metadata.name);
      const pick = (names: readonly string[], nth: number) =>
        names[nth % Math.max(names.length, 1)];
      for (const [serial, one] of acts.entries()) {
        if (one.act === "pod") {
          const { labels = {}, ...spec } = kinds[one.kind] ?? {};
          await world.pod(`p${serial}`, String(one.cpu), spec, { labels });
        } else if (one.act === "node") {
          await world.node(`n${serial}`, {}, { "topology.kubernetes.io/zone": one.zone });
        } else if (one.act === "remove") {
          const name = pick(
            world.view.list(podKind).map(({ metadata }) => metadata.name),
            one.nth,
          );
          if (name !== undefined) await world.remove(name);
        } else {
          const name = pick(nodes(), one.nth);
          if (name !== undefined) await world.change((context) => changed(one.act, name, context));
        }
        await world.clock.advance(3_000);
        expect(overlooked(world)).toEqual([]);
      }
    }),
    { numRuns: 150 },
  );
});

type Context = Parameters<Parameters<World["change"]>[0]>[0];

function changed(act: "cordon" | "move" | "lose", name: string, context: Context) {
  const node = context.view.get(nodeKind, undefined, name);
  if (node === undefined) return undefined;
  if (act === "lose") return admitDelete(nodeKind, node, {}, context);
  const { metadata, spec } = node;
  const labels = { ...metadata.labels };
  const key = "topology.kubernetes.io/zone";
  const after =
    act === "cordon"
      ? { ...node, spec: { ...spec, unschedulable: spec?.unschedulable !== true } }
      : {
          ...node,
          metadata: { ...metadata, labels: { ...labels, [key]: labels[key] === "a" ? "b" : "a" } },
        };
  return admitUpdate(nodeKind, node, after, context) ?? { object: node, ops: [] };
}
