/** Rules that span nodes: pod affinity, anti-affinity and topology spread. */
import { describe, expect, test } from "vitest";
import { claimOf, type PodFacts } from "../claim.ts";
import { countCohorts } from "./cohorts.ts";
import { affinityRefusal, antiAffinityRefusal, othersRefusal } from "./inter-pod.ts";
import {
  apart,
  app,
  type Described,
  labelsOf,
  near,
  podOf,
  roomsWith,
  type Spec,
} from "./neighbours-fixture.ts";
import { place } from "./place.ts";
import { plainlyFits } from "./plain-placement.ts";
import type { TermFacts } from "./pod-terms.ts";
import { labelRefusal, spreadRefusal } from "./spread.ts";

const db: Described = { labels: { app: "db" } };
const zoned = (labelSelector: TermFacts["labelSelector"], more: Partial<TermFacts> = {}) => ({
  topologyKey: "zone",
  labelSelector,
  ...more,
});

type Case = {
  name: string;
  pod: Described;
  pods?: Record<string, Described[]>;
  /** Where it may go. */
  to: string[];
  why?: string;
};
const expectPlaces = (cases: Case[], nodes = ["a1", "a2", "b1", "none"]) =>
  test.each(cases)("$name", ({ pod, pods = {}, to, why }) => {
    const rooms = roomsWith(pods, nodes);
    const around = { cohorts: countCohorts(rooms), labelsOf };
    const claim = claimOf(podOf("new", pod));
    // One node at a time has room for it: which of them take it?
    const takers = nodes.filter((name) => {
      const only = rooms.map((room) =>
        room.name === name ? room : { ...room, allocatable: { pods: 0 } },
      );
      return place([claim], only, around).binds.has(name);
    });
    expect(takers).toEqual(to);
    for (const room of rooms) {
      expect(plainlyFits(claim, room, { rooms, labelsOf })).toBe(to.includes(room.name));
    }
    const refused = place([claim], rooms, around).refused.map((one) => one.why);
    if (why !== undefined)
      expect(refused).toEqual([`0/${nodes.length} nodes are available: ${why}.`]);
  });

describe("pod affinity", () => {
  expectPlaces([
    {
      name: "goes where the other is, by domain",
      pod: near(zoned(app("db"))),
      pods: { a1: [db] },
      to: ["a1", "a2"],
    },
    {
      name: "by node",
      pod: near({ topologyKey: "host", labelSelector: app("db") }),
      pods: { a1: [db] },
      to: ["a1"],
    },
    {
      name: "finds nobody to be near",
      pod: near(zoned(app("db"))),
      to: [],
      why: `4 ${affinityRefusal}`,
    },
    {
      name: "is the first of its group: anywhere that has the label",
      pod: { labels: { app: "web" }, ...near(zoned(app("web"))) },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "is not the first any more",
      pod: { labels: { app: "web" }, ...near(zoned(app("web"))) },
      pods: { b1: [{ labels: { app: "web" } }] },
      to: ["b1"],
    },
    {
      name: "is the first while the others are where no domain is",
      pod: { labels: { app: "web" }, ...near(zoned(app("web"))) },
      pods: { none: [{ labels: { app: "web" } }] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "all terms, each in its own domain",
      pod: near(zoned(app("db")), { topologyKey: "host", labelSelector: app("db") }),
      pods: { a2: [db] },
      to: ["a2"],
    },
    {
      name: "terms that no pod meets together",
      pod: near(zoned(app("db")), zoned({ matchLabels: { tier: "x" } })),
      pods: { a1: [db], a2: [{ labels: { tier: "x" } }] },
      to: [],
    },
    {
      name: "means its own namespace",
      pod: near(zoned(app("db"))),
      pods: { a1: [{ ...db, namespace: "team" }] },
      to: [],
    },
    {
      name: "means a namespace that it names",
      pod: near(zoned(app("db"), { namespaces: ["team"] })),
      pods: { a1: [{ ...db, namespace: "team" }], b1: [db] },
      to: ["a1", "a2"],
    },
    {
      name: "means namespaces by their labels",
      pod: near(zoned(app("db"), { namespaceSelector: { matchLabels: { team: "yes" } } })),
      pods: { a1: [{ ...db, namespace: "team" }], b1: [db] },
      to: ["a1", "a2"],
    },
    {
      name: "means every namespace",
      pod: near(zoned(app("db"), { namespaceSelector: {} })),
      pods: { b1: [{ ...db, namespace: "other" }] },
      to: ["b1"],
    },
    {
      name: "without a selector means nobody",
      pod: near(zoned(undefined)),
      pods: { a1: [db] },
      to: [],
    },
    {
      name: "with an empty selector means everybody",
      pod: near(zoned({})),
      pods: { b1: [db] },
      to: ["b1"],
    },
    {
      name: "a pod that is being deleted is still company",
      pod: near(zoned(app("db"))),
      pods: { b1: [{ ...db, ending: true }] },
      to: ["b1"],
    },
    {
      name: "what other pods must be near says nothing of this one",
      pod: { labels: { app: "db" } },
      pods: { a1: [near(zoned(app("db")))] },
      to: ["a1", "a2", "b1", "none"],
    },
  ]);
});

describe("pod anti-affinity", () => {
  expectPlaces([
    {
      name: "keeps out of the other's domain, and may go where there is none",
      pod: apart(zoned(app("db"))),
      pods: { a1: [db] },
      to: ["b1", "none"],
    },
    {
      name: "by node",
      pod: apart({ topologyKey: "host", labelSelector: app("db") }),
      pods: { a1: [db] },
      to: ["a2", "b1", "none"],
    },
    {
      name: "is kept out by a pod that is there",
      pod: db,
      pods: { b1: [apart(zoned(app("db")))] },
      to: ["a1", "a2", "none"],
    },
    {
      name: "is not kept out by one in another namespace",
      pod: db,
      pods: { b1: [{ ...apart(zoned(app("db"))), namespace: "team" }] },
      to: ["a1", "a2", "b1", "none"],
    },
    {
      name: "is kept out by one that means its namespace",
      pod: { ...db, namespace: "team" },
      pods: {
        b1: [apart(zoned(app("db"), { namespaceSelector: { matchLabels: { team: "yes" } } }))],
      },
      to: ["a1", "a2", "none"],
    },
    {
      name: "does not mind itself",
      pod: { ...db, ...apart(zoned(app("db"))) },
      to: ["a1", "a2", "b1", "none"],
    },
    {
      name: "any of its terms is enough",
      pod: apart(zoned(app("db")), { topologyKey: "host", labelSelector: app("web") }),
      pods: { a1: [db], b1: [{ labels: { app: "web" } }] },
      to: ["none"],
    },
    {
      name: "one that is being deleted is still there",
      pod: apart(zoned(app("db"))),
      pods: { a1: [{ ...db, ending: true }] },
      to: ["b1", "none"],
    },
    {
      name: "says what its own terms are against, and others'",
      pod: { ...db, ...apart({ topologyKey: "host", labelSelector: app("web") }) },
      pods: {
        a1: [{ labels: { app: "web" } }],
        a2: [{ labels: { app: "web" } }],
        b1: [apart({ topologyKey: "host", labelSelector: app("db") })],
        none: [apart({ topologyKey: "host", labelSelector: app("db") })],
      },
      to: [],
      why: `2 ${antiAffinityRefusal}, 2 ${othersRefusal}`,
    },
    {
      name: "expressions are understood",
      pod: apart(
        zoned({ matchExpressions: [{ key: "app", operator: "In", values: ["db", "mq"] }] }),
      ),
      pods: { b1: [{ labels: { app: "mq" } }] },
      to: ["a1", "a2", "none"],
    },
    {
      name: "without a selector means nobody",
      pod: apart(zoned(undefined)),
      pods: { a1: [db] },
      to: ["a1", "a2", "b1", "none"],
    },
    {
      name: "a topology that no node has keeps nobody out",
      pod: apart({ topologyKey: "rack", labelSelector: app("db") }),
      pods: { a1: [db] },
      to: ["a1", "a2", "b1", "none"],
    },
    {
      name: "affinity and anti-affinity together",
      pod: {
        affinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [zoned(app("db"))] },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "host", labelSelector: app("db") },
            ],
          },
        },
      },
      pods: { a1: [db] },
      to: ["a2"],
    },
    {
      name: "a pod that has another's label in another namespace is not meant",
      pod: apart(zoned(app("db"))),
      pods: { a1: [{ ...db, namespace: "team" }] },
      to: ["a1", "a2", "b1", "none"],
    },
    {
      name: "that is only preferred keeps nobody out",
      pod: {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, podAffinityTerm: zoned(app("db")) },
            ],
          },
        },
      },
      pods: { a1: [db] },
      to: ["a1", "a2", "b1", "none"],
    },
  ]);
});

describe("a topology spread constraint", () => {
  const web = { labels: { app: "web" } };
  type Constraint = NonNullable<PodFacts["spec"]["topologySpreadConstraints"]>[number];
  const even = (...all: Partial<Constraint>[]): Described => ({
    ...web,
    topologySpreadConstraints: all.map((one) => ({
      topologyKey: "zone",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: app("web"),
      ...one,
    })),
  });
  expectPlaces([
    { name: "starts anywhere that has the label", pod: even({}), to: ["a1", "a2", "b1"] },
    { name: "goes to the emptier zone", pod: even({}), pods: { a1: [web] }, to: ["b1"] },
    {
      name: "may be as uneven as it says",
      pod: even({ maxSkew: 2 }),
      pods: { a1: [web] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "by node",
      pod: even({ topologyKey: "host" }),
      pods: { a1: [web], b1: [web], none: [web] },
      to: ["a2"],
    },
    {
      name: "counts its own namespace",
      pod: even({}),
      pods: { a1: [{ ...web, namespace: "team" }] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "does not count what is being deleted",
      pod: even({}),
      pods: { a1: [{ ...web, ending: true }] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "does not count other pods",
      pod: even({}),
      pods: { a1: [db] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "needs not count the pod itself",
      pod: { ...even({}), labels: {} },
      pods: { a1: [web] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "wants more domains than there are",
      pod: even({ minDomains: 3 }),
      pods: { a1: [web], b1: [web] },
      to: [],
      why: `1 ${labelRefusal}, 3 ${spreadRefusal}`,
    },
    {
      name: "has as many domains as it wants",
      pod: even({ minDomains: 2 }),
      pods: { a1: [web], b1: [web] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "counts only nodes that the pod may go to",
      pod: { ...even({}), nodeSelector: { zone: "a" } },
      pods: { a1: [web] },
      to: ["a1", "a2"],
    },
    {
      name: "counts all nodes where it says so",
      pod: { ...even({ nodeAffinityPolicy: "Ignore" }), nodeSelector: { zone: "a" } },
      pods: { a1: [web] },
      to: [],
    },
    {
      name: "two of them, both kept",
      pod: even({}, { topologyKey: "host" }),
      pods: { a1: [web], b1: [web] },
      to: ["a2"],
    },
    {
      name: "two of them count only nodes that have both labels",
      pod: even({}, { topologyKey: "disk" }),
      pods: { a1: [web, web] },
      to: ["a2"],
    },
    {
      name: "without a selector counts nobody",
      pod: even({ labelSelector: undefined }),
      pods: { a1: [web] },
      to: ["a1", "a2", "b1"],
    },
    {
      name: "that is a wish keeps nobody out",
      pod: even({ whenUnsatisfiable: "ScheduleAnyway" }),
      pods: { a1: [web] },
      to: ["a1", "a2", "b1", "none"],
    },
  ]);
  expectPlaces(
    [
      {
        name: "counts tainted nodes",
        pod: even({ topologyKey: "host" }),
        pods: { a1: [web] },
        to: [],
      },
      {
        name: "leaves them out where it says so",
        pod: even({ topologyKey: "host", nodeTaintsPolicy: "Honor" }),
        pods: { a1: [web] },
        to: ["a1"],
      },
    ],
    ["a1", "tainted"],
  );
});

describe("wishes about other pods", () => {
  const wish = (kind: "podAffinity" | "podAntiAffinity", weight: number): Spec => ({
    affinity: {
      [kind]: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight, podAffinityTerm: zoned(app("db")) },
        ],
      },
    },
  });
  const chosen = (pod: Described, pods: Record<string, Described[]>) => {
    const rooms = roomsWith(pods, ["a1", "b1"]);
    return [...place([claimOf(podOf("new", pod))], rooms).binds.keys()];
  };
  test("of the pod itself, for and against", () => {
    expect(chosen(wish("podAffinity", 100), { b1: [db, db] })).toEqual(["b1"]);
    expect(chosen(wish("podAntiAffinity", 100), { a1: [db] })).toEqual(["b1"]);
  });
  test("of those that are there", () => {
    expect(chosen(db, { b1: [wish("podAffinity", 100)] })).toEqual(["b1"]);
    expect(chosen(db, { a1: [wish("podAntiAffinity", 100)] })).toEqual(["b1"]);
  });
  test("of those that must be near it", () => {
    const needy = { ...near({ topologyKey: "host", labelSelector: app("db") }) };
    expect(chosen(db, { b1: [needy] })).toEqual(["b1"]);
  });
});
