import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf, type PodFacts, withVolumes } from "../claim.ts";
import { type Room, withClaim } from "../room.ts";
import { explainPod } from "./explain.ts";
import { textOf } from "./explain-text.ts";
import { anyRooms, anySettings, podFrom, anyPod } from "./place-generators.ts";
import { aClaim, aPod, aRoom, asks, gpuTaint, type Spec, withPort } from "./place-fixture.ts";
import { place, type Surroundings } from "./place.ts";
import { noVolumes } from "./volumes.ts";

const explain = (pod: PodFacts, rooms: readonly Room[], around: Partial<Surroundings> = {}) =>
  explainPod(pod, claimOf(pod), { rooms, ...around });
const app = (value: string) => ({ matchLabels: { app: value } });
const db = aClaim("db", {}, { labels: { app: "db" } });

type Case = {
  name: string;
  pod: PodFacts;
  rooms?: readonly Room[];
  verdict: "fits" | "unschedulable" | "not considered";
  message?: string;
  /** Node → the rules that refuse it. */
  rules?: Record<string, readonly string[]>;
  help?: string;
};
const web = (spec: Spec = {}, metadata: Partial<PodFacts["metadata"]> = {}) =>
  aPod("web", spec, metadata);
const two = [aRoom("n1"), aRoom("n2")];

describe("an explanation", () => {
  test.each<Case>([
    {
      name: "that nothing is wrong",
      pod: web(),
      verdict: "fits",
      message: "it goes to n1, one of 2 of 2 nodes that take it",
    },
    {
      name: "of one too big",
      pod: web(asks({ cpu: "8" })),
      rooms: [aRoom("n1"), withClaim(aRoom("n2", { allocatable: { cpu: "4" } }), db)],
      verdict: "unschedulable",
      message: "0/2 nodes are available: 2 Insufficient cpu.",
      rules: { n1: ["NodeResourcesFit"], n2: ["NodeResourcesFit"] },
      help: "it asks for 8 cpu; the largest node has 4 allocatable, and the most that is free is 3.9 on n2: no node of these can ever take it",
    },
    {
      name: "of one that waits for memory",
      pod: web(asks({ memory: "3Gi" })),
      rooms: [withClaim(aRoom("n1"), aClaim("big", asks({ memory: "2Gi" })))],
      verdict: "unschedulable",
      rules: { n1: ["NodeResourcesFit"] },
      help: "it asks for 3Gi memory; the largest node has 4Gi allocatable, and the most that is free is 2Gi on n1",
    },
    {
      name: "of a taint",
      pod: web(),
      rooms: [aRoom("n1", { taints: [gpuTaint] })],
      verdict: "unschedulable",
      rules: { n1: ["TaintToleration"] },
      help: "a toleration of {gpu: yes} opens n1, as does removing the taint",
    },
    {
      name: "of a spread",
      pod: web(
        {
          topologySpreadConstraints: [
            {
              topologyKey: "kubernetes.io/hostname",
              maxSkew: 1,
              whenUnsatisfiable: "DoNotSchedule",
              labelSelector: app("db"),
            },
          ],
        },
        { labels: { app: "db" } },
      ),
      rooms: [withClaim(aRoom("n1"), db), aRoom("n2", { allocatable: { pods: "0" } })],
      verdict: "unschedulable",
      rules: { n1: ["PodTopologySpread"], n2: ["NodeResourcesFit"] },
      help: "n1 would hold more than 1 pods above the emptiest kubernetes.io/hostname: room there, a larger maxSkew or whenUnsatisfiable: ScheduleAnyway would do",
    },
    {
      name: "of an affinity conflict",
      pod: web({
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector: app("db") },
            ],
          },
        },
      }),
      rooms: [withClaim(aRoom("n1"), db)],
      verdict: "unschedulable",
      rules: { n1: ["InterPodAffinity"] },
      help: "on or near n1 run pods that its anti-affinity keeps away from",
    },
    {
      name: "of a label that no node has",
      pod: web({ nodeSelector: { disk: "ssd" } }),
      verdict: "unschedulable",
      rules: { n1: ["NodeAffinity"], n2: ["NodeAffinity"] },
      help: "n1, n2 would need the labels disk=ssd",
    },
    {
      name: "of a port",
      pod: web(withPort({ hostPort: 80 })),
      rooms: [withClaim(aRoom("n1"), aClaim("other", withPort({ hostPort: 80 })))],
      verdict: "unschedulable",
      rules: { n1: ["NodePorts"] },
      help: "of port 80/TCP some is taken on n1: without hostPort, or with another one, there is no such limit",
    },
    {
      name: "of a gate",
      pod: web({ schedulingGates: [{ name: "example.com/quota" }] }),
      verdict: "not considered",
      message: "it waits for its scheduling gates: example.com/quota",
      help: "whoever set spec.schedulingGates removes example.com/quota when it may go",
    },
    {
      name: "of an unknown scheduler",
      pod: web({ schedulerName: "mine" }),
      verdict: "not considered",
      message: 'it is left to the scheduler "mine", which is none of Berth\'s',
      help: 'run "mine", or leave spec.schedulerName out',
    },
    {
      name: "of nodes that are cordoned or not ready",
      pod: web(),
      rooms: [aRoom("n1", { unschedulable: true }), aRoom("n2", { ready: "False" })],
      verdict: "unschedulable",
      rules: { n1: ["NodeUnschedulable"], n2: ["NodeReady"] },
      help: "n1 may take new pods again after kubectl uncordon",
    },
    {
      name: "of every rule that a node breaks",
      pod: web(asks({ cpu: "8" })),
      rooms: [aRoom("n1", { unschedulable: true, taints: [gpuTaint] })],
      verdict: "unschedulable",
      rules: { n1: ["NodeUnschedulable", "TaintToleration", "NodeResourcesFit"] },
    },
    {
      name: "of a cluster without nodes",
      pod: web(),
      rooms: [],
      verdict: "unschedulable",
      message: "no nodes available to schedule pods",
      help: "the cluster has no node: add one",
    },
    {
      name: "of one that is where it is, itself not counted",
      pod: web({ ...asks({ cpu: "2" }), nodeName: "n1" }),
      rooms: [withClaim(aRoom("n1"), aClaim("web", asks({ cpu: "2" })))],
      verdict: "fits",
      message: "it is on n1",
    },
    {
      name: "of one that would not be placed where it is",
      pod: web({ nodeName: "n1" }),
      rooms: [withClaim(aRoom("n1", { taints: [gpuTaint] }), aClaim("web"))],
      verdict: "fits",
      message:
        "it is on n1, where it would not be placed now: node(s) had untolerated taint {gpu: yes} (TaintToleration)",
      rules: { n1: ["TaintToleration"] },
    },
    {
      name: "of one that has ended",
      pod: { ...web(), status: { phase: "Succeeded" } },
      verdict: "not considered",
      message: "it has ended",
    },
  ])("$name", ({ pod, rooms = two, verdict, message, rules = {}, help }) => {
    const told = explain(pod, rooms);
    expect(told.verdict).toBe(verdict);
    if (message !== undefined) expect(told.message).toBe(message);
    if (help !== undefined) expect(told.help).toContain(help);
    const found = told.nodes.flatMap((node) =>
      "refusals" in node ? [[node.name, node.refusals.map(({ rule }) => rule)] as const] : [],
    );
    expect(Object.fromEntries(found)).toEqual(rules);
    const text = textOf("default/web", told);
    for (const one of [verdict, told.message, ...told.help]) expect(text).toContain(one);
  });

  test("of a volume", () => {
    const problem = 'persistentvolumeclaim "data" not found';
    const claim = withVolumes(claimOf(web()), { ...noVolumes, problem });
    const told = explainPod(web(), claim, { rooms: two });
    expect(told).toMatchObject({
      verdict: "unschedulable",
      message: `0/2 nodes are available: ${problem}.`,
      help: [`its claims to storage come first: ${problem}`],
      nodes: [{ refusals: [{ rule: "VolumeBinding", message: problem }] }, { name: "n2" }],
    });
  });

  test("that preemption would help", () => {
    const low = aClaim("low", { ...asks({ cpu: "2" }), priority: 1 });
    const told = explain(web({ ...asks({ cpu: "1" }), priority: 5 }), [
      withClaim(aRoom("n1"), low),
    ]);
    expect(told.verdict).toBe("unschedulable");
    expect(told.preemption).toEqual({ node: "n1", victims: ["default/low"] });
    expect(told.help).toContain("preemption helps: without default/low there is room on n1");
  });

  test("that room is kept for another", () => {
    const claim = aClaim("first", { ...asks({ cpu: "2" }), priority: 9 });
    const told = explain(web(asks({ cpu: "1" })), [aRoom("n1")], {
      nominated: [{ claim, node: "n1" }],
    });
    expect(told.nodes).toMatchObject([{ refusals: [{ rule: "NodeResourcesFit" }] }]);
    expect(told.verdict).toBe("unschedulable");
  });

  test("says what the scheduler then does, and takes one of the best nodes", () => {
    fc.assert(
      fc.property(
        anyPod,
        fc.array(anyPod, { maxLength: 6 }),
        anyRooms,
        anySettings,
        (one, before, rooms, settings) => {
          const there = place(
            before.map((other, nth) => claimOf(podFrom(other, nth + 1))),
            rooms,
            { settings },
          );
          const now = rooms.map((room) =>
            (there.binds.get(room.name) ?? []).reduce(withClaim, room),
          );
          const pod = podFrom(one, 0);
          const told = explain(pod, now, { settings });
          const placed = place([claimOf(pod)], now, { settings });
          const [home] = placed.binds.keys();
          expect(told.node).toBe(home);
          expect(told.verdict).toBe(home === undefined ? "unschedulable" : "fits");
          const totals = new Map(
            told.nodes.flatMap((node) =>
              "total" in node ? [[node.name, node.total] as const] : [],
            ),
          );
          if (home === undefined) expect(totals.size).toBe(0);
          else expect(totals.get(home)).toBeCloseTo(Math.max(...totals.values()), 6);
          for (const node of told.nodes) {
            for (const { score } of "scores" in node ? node.scores : []) {
              expect(score).toBeGreaterThanOrEqual(0);
              expect(score).toBeLessThanOrEqual(100);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
