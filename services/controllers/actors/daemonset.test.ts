import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controllerRevision } from "../../../libs/model/kinds/controllerrevision.ts";
import { daemonSet, type DaemonSet } from "../../../libs/model/kinds/daemonset.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { behaviourOf } from "../behaviour.ts";
import {
  aDaemonSet,
  aNamespace,
  aNode,
  aPod,
  countingRandom,
  settings,
  start,
  withImage,
} from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { type Fate, podBecomes } from "../simulated-pods.ts";
import { daemonSets } from "./daemonset.ts";
import { daemonPod, eligibility, nodeOf } from "./daemonset/eligible.ts";
import { pods as podActors } from "./pod.ts";
import { revisionLabel } from "./workload/history.ts";
import { isLive, readySinceMs } from "../../../libs/model/pod/state.ts";

const nodes = { seen: () => undefined, judgeable: () => true };

/** A DaemonSet on some nodes; the test is their agents and their user. */
function simulate(spec: Readonly<Record<string, unknown>>, count = 3) {
  const cluster = simulatedCluster();
  let now = start;
  const record = () => undefined;
  const ports = { nodes, settings, random: countingRandom(), record, view: cluster.view };
  const [above, below] = [behaviourOf(daemonSets, ports), behaviourOf(podActors, ports)];
  cluster.put(namespace, aNamespace("default"));
  cluster.put(daemonSet, aDaemonSet(spec));
  const self = (): DaemonSet => {
    const found = cluster.view.get(daemonSet, "default", "web");
    if (found === undefined) throw new Error("the DaemonSet is gone");
    return found;
  };
  const run = {
    cluster,
    self,
    pods: () => cluster.view.list(pod),
    live: () => cluster.view.list(pod).filter(isLive),
    on: (name: string) => cluster.view.list(pod).filter((one) => nodeOf(one) === name),
    now: () => now,
    pass: (ms: number) => void (now += ms),
    edit(change: Readonly<Record<string, unknown>>) {
      const before = self();
      const generation = (before.metadata.generation ?? 0) + 1;
      const spec = { ...before.spec, ...aDaemonSet({ ...before.spec, ...change }).spec };
      cluster.put(daemonSet, { ...before, metadata: { ...before.metadata, generation }, spec });
    },
    turn: (ago: number) => cluster.turn(above, "default/web", ago, now),
    settle: () => cluster.settle([above, below], () => now),
    becomes: (one: Pod, fate: Fate) => podBecomes(cluster, one, fate, now, nodeOf(one)),
    join: (name: string) => cluster.put(node, aNode(name)),
    taint: (name: string, effect: string) =>
      cluster.put(node, aNode(name, { spec: { taints: [{ key: "own", effect }] } })),
    leave(name: string) {
      const held = cluster.view.get(node, undefined, name);
      if (held === undefined) return;
      const expect = Number(held.metadata.resourceVersion);
      cluster.commit([{ op: "delete", key: `nodes._.${name}`, expect, last: new Uint8Array() }]);
    },
  };
  for (let nth = 1; nth <= count; nth += 1) run.join(`n${nth}`);
  return run;
}
type Simulation = ReturnType<typeof simulate>;
const isAvailable = (one: Pod) => isLive(one) && readySinceMs(one) !== undefined;
const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;
const imageOf = ({ spec }: Pod) => spec.containers[0]?.image;

/** Everything happens as it should, until nothing more does. */
function finish(run: Simulation): void {
  for (let round = 0; round < 200; round += 1) {
    run.settle();
    const ending = run.pods().filter(isEnding);
    const over = run.pods().filter((one) => one.status?.phase === "Failed" && !isEnding(one));
    const starting = run.live().filter((one) => readySinceMs(one) === undefined);
    if (ending.length + starting.length + over.length === 0) return;
    for (const one of ending) run.becomes(one, "gone");
    for (const one of starting) run.becomes(one, "ready");
    run.pass(1_000);
  }
  throw new Error("it never came to rest");
}

const homes = (pods: readonly Pod[]) => pods.map((one) => nodeOf(one) ?? "").toSorted();

describe("a DaemonSet", () => {
  test("has one pod on each node, tied to it, and says so", () => {
    const run = simulate({});
    finish(run);
    expect(homes(run.live())).toEqual(["n1", "n2", "n3"]);
    expect(run.self().status).toEqual({
      currentNumberScheduled: 3,
      numberMisscheduled: 0,
      desiredNumberScheduled: 3,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
      numberUnavailable: 0,
    });
    const revision = run.cluster.view.list(controllerRevision)[0];
    expect(run.live()[0]?.metadata.labels?.[revisionLabel]).toBe(
      revision?.metadata.labels?.[revisionLabel],
    );
  });

  test("follows nodes that come and go", () => {
    const run = simulate({}, 1);
    finish(run);
    run.join("n2");
    finish(run);
    expect(homes(run.live())).toEqual(["n1", "n2"]);
    run.leave("n1");
    finish(run);
    expect(homes(run.pods())).toEqual(["n2"]);
  });

  test("that waits for a node which is gone ends the pod", () => {
    const run = simulate({}, 1);
    run.settle();
    expect(run.pods().map(({ spec }) => spec.nodeName)).toEqual([undefined]);
    run.leave("n1");
    run.settle();
    expect(run.pods()).toEqual([]);
  });

  test("keeps a pod where new ones would not go, and counts it; NoExecute ends it", () => {
    const run = simulate({}, 2);
    finish(run);
    run.taint("n1", "NoSchedule");
    finish(run);
    expect(homes(run.live())).toEqual(["n1", "n2"]);
    expect(run.self().status).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 1 });
    run.taint("n1", "NoExecute");
    finish(run);
    expect(homes(run.live())).toEqual(["n2"]);
    expect(run.self().status).toMatchObject({ numberMisscheduled: 0 });
  });

  test("rolls node by node", () => {
    const run = simulate({});
    finish(run);
    run.edit(withImage("web:v2"));
    for (let round = 0; round < 3; round += 1) {
      run.settle();
      const ending = run.pods().filter(isEnding);
      expect(ending).toHaveLength(1);
      expect(run.self().status).toMatchObject({
        updatedNumberScheduled: round,
        numberUnavailable: 1,
      });
      for (const one of ending) run.becomes(one, "gone");
      run.settle();
      for (const one of run.live().filter((each) => !isAvailable(each))) run.becomes(one, "ready");
    }
    finish(run);
    expect(run.live().map(imageOf)).toEqual(["web:v2", "web:v2", "web:v2"]);
    expect(run.cluster.view.list(controllerRevision)).toHaveLength(2);
  });

  test("that surges ends an old pod when its successor is available", () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const run = simulate({ updateStrategy: { rollingUpdate } });
    finish(run);
    run.edit(withImage("web:v2"));
    run.settle();
    expect(run.live()).toHaveLength(4);
    expect(run.pods().filter(isEnding)).toEqual([]);
    for (const one of run.live().filter((each) => !isAvailable(each))) run.becomes(one, "ready");
    run.turn(0);
    expect(run.pods().filter(isEnding).map(imageOf)).toEqual(["web:v1"]);
    finish(run);
    expect(run.live().map(imageOf)).toEqual(["web:v2", "web:v2", "web:v2"]);
    expect(homes(run.live())).toEqual(["n1", "n2", "n3"]);
  });

  test("under OnDelete waits for someone to delete", () => {
    const run = simulate({ updateStrategy: { type: "OnDelete" } }, 2);
    finish(run);
    run.edit(withImage("web:v2"));
    finish(run);
    expect(run.live().map(imageOf)).toEqual(["web:v1", "web:v1"]);
    for (const one of run.on("n2")) run.becomes(one, "gone");
    finish(run);
    expect(run.on("n2").map(imageOf)).toEqual(["web:v2"]);
  });

  test("makes a pod that fails again, ever later while it does", () => {
    const run = simulate({}, 1);
    const failAndWait = (ms: number) => {
      run.settle();
      for (const one of run.live()) run.becomes(one, "failed");
      run.settle();
      expect(run.pods().filter(isEnding)).toHaveLength(ms === 0 ? 1 : 0);
      run.pass(ms);
      run.settle();
      const [ending = expect.unreachable()] = run.pods().filter(isEnding);
      run.becomes(ending, "gone");
    };
    for (const ms of [0, 1_000, 2_000, 4_000]) failAndWait(ms);
    run.edit({ template: withImage("web:v2").template });
    failAndWait(0); // Another template may do better.
    finish(run);
    expect(run.live()).toHaveLength(1);
  });

  test("adopts a pod that it selects, on the node where that is", () => {
    const run = simulate({}, 2);
    run.cluster.put(pod, aPod("stray", { node: "n2" }));
    run.settle();
    expect(run.on("n2").map(({ metadata }) => metadata.name)).toEqual(["stray"]);
    expect(run.on("n2")[0]?.metadata.ownerReferences).toMatchObject([{ uid: "ds1" }]);
  });
});

describe("a node is one for a DaemonSet", () => {
  const labelled = aNode("n1", { metadata: { labels: { disk: "ssd" } } });
  const tainted = (...taints: { key: string; effect: string; value?: string }[]) =>
    aNode("n1", { spec: { taints } });
  const spec = (pod: object) => ({
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:v1" }], ...pod },
    },
  });
  const required = (...nodeSelectorTerms: object[]) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    },
  });
  const expression = { key: "disk", operator: "In", values: ["ssd"] };
  const yes = { runs: true, stays: true };
  const no = { runs: false, stays: false };

  test.each([
    ["whatever it is", aNode("n1"), {}, yes],
    ["by its labels", labelled, { nodeSelector: { disk: "ssd" } }, yes],
    ["not without the label", aNode("n1"), { nodeSelector: { disk: "ssd" } }, no],
    ["by required affinity", labelled, required({ matchExpressions: [expression] }), yes],
    ["not against it", aNode("n1"), required({ matchExpressions: [expression] }), no],
    [
      "by its name",
      aNode("n1"),
      required({ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }),
      yes,
    ],
    ["by the template's node", aNode("n1"), { nodeName: "n2" }, no],
    [
      "for those that are there, under NoSchedule",
      tainted({ key: "own", effect: "NoSchedule" }),
      {},
      { runs: false, stays: true },
    ],
    ["not under NoExecute", tainted({ key: "own", effect: "NoExecute" }), {}, no],
    [
      "under what it bears",
      tainted({ key: "own", effect: "NoExecute" }),
      { tolerations: [{ key: "own", operator: "Exists" }] },
      yes,
    ],
    [
      "when it is cordoned, lost or short of something",
      tainted(
        { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
        { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
        { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
        { key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule" },
        { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" },
        { key: "node.kubernetes.io/pid-pressure", effect: "NoSchedule" },
      ),
      {},
      yes,
    ],
    [
      "without a network, only on the host's",
      tainted({ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }),
      {},
      { runs: false, stays: true },
    ],
    [
      "without a network, on the host's",
      tainted({ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }),
      { hostNetwork: true },
      yes,
    ],
  ])("%s", (_name, one, pod, expected) => {
    expect(eligibility(aDaemonSet(spec(pod)), one)).toEqual(expected);
  });

  test("and its pod keeps what else the template says of nodes", () => {
    const preferred = [{ weight: 1, preference: { matchExpressions: [expression] } }];
    const template = spec({
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
      tolerations: [{ key: "own", operator: "Exists" }],
    });
    const made = daemonPod(aDaemonSet(template), { name: "web-1", node: "n7", hash: "h" });
    expect(made.spec.affinity?.nodeAffinity).toMatchObject({
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: "metadata.name", operator: "In", values: ["n7"] }] },
        ],
      },
    });
    expect(made.spec.tolerations).toHaveLength(7);
    expect(nodeOf(made as unknown as Pod)).toBe("n7");
  });
});

const shape = fc.record({
  nodes: fc.integer({ min: 1, max: 4 }),
  bounds: fc.constantFrom<{ maxSurge: number | string; maxUnavailable: number | string }>(
    { maxSurge: 0, maxUnavailable: 1 },
    { maxSurge: 0, maxUnavailable: 2 },
    { maxSurge: 0, maxUnavailable: "50%" },
    { maxSurge: 1, maxUnavailable: 0 },
    { maxSurge: "50%", maxUnavailable: 0 },
  ),
});
const amountOf = (amount: number | string, nodes: number): number =>
  amount === "50%" ? Math.ceil(nodes / 2) : Number(amount);

const step = <A extends string>(weight: number, ...acts: readonly A[]) => ({
  weight,
  arbitrary: fc.record({
    act: fc.constantFrom(...acts),
    nth: fc.nat(5),
    ago: fc.constantFrom(0, 0, 0, 1, 2, 3, 6),
  }),
});
const orderly = fc.oneof(step(8, "turn"), step(5, "ready"), step(3, "gone"), step(1, "image"));
const disturbed = fc.oneof(
  { weight: 8, arbitrary: orderly },
  step(1, "unready", "failed"),
  step(1, "join", "leave", "taint"),
);
type Action = {
  readonly act:
    | "turn"
    | "ready"
    | "gone"
    | "image"
    | "unready"
    | "failed"
    | "join"
    | "leave"
    | "taint";
  readonly nth: number;
  readonly ago: number;
};

function perform(run: Simulation, { act, nth, ago }: Action): void {
  run.pass(250);
  const pick = (of: readonly Pod[]) => of[nth % Math.max(of.length, 1)];
  const become = (one: Pod | undefined, fate: Fate) => {
    if (one !== undefined) run.becomes(one, fate);
  };
  const name = `n${nth}`;
  switch (act) {
    case "turn":
      run.turn(ago);
      return;
    case "image":
      return run.edit(withImage(`web:v${nth}`));
    case "join":
      return run.join(name);
    case "taint":
      return run.taint(name, nth % 2 === 0 ? "NoSchedule" : "NoExecute");
    case "leave":
      return run.leave(name);
    case "gone":
      return become(pick(run.pods().filter(isEnding)), "gone");
    case "ready":
      return become(pick(run.live().filter((one) => readySinceMs(one) === undefined)), act);
    case "unready":
    case "failed":
      return become(pick(run.live()), act);
    default:
      act satisfies never;
  }
}

describe("whatever the cuts that its turns are decided at, a DaemonSet", () => {
  /** Never two pods of a revision on a node, nor two at all where it does not surge. */
  function checkNodes(run: Simulation, most: number): void {
    const byNode = Map.groupBy(run.live(), (one) => nodeOf(one));
    for (const pods of byNode.values()) {
      const hashes = pods.map(({ metadata }) => metadata.labels?.[revisionLabel]);
      expect(new Set(hashes).size).toBe(pods.length);
      expect(pods.length).toBeLessThanOrEqual(most);
    }
  }

  test("keeps maxSurge and maxUnavailable", () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(orderly, { minLength: 20, maxLength: 80, size: "max" }),
        ({ nodes, bounds }, actions) => {
          const run = simulate({ updateStrategy: { rollingUpdate: bounds } }, nodes);
          finish(run);
          run.edit(withImage("web:v9"));
          const surge = amountOf(bounds.maxSurge, nodes);
          for (const each of actions) {
            perform(run, each);
            checkNodes(run, surge > 0 ? 2 : 1);
            expect(run.live().length).toBeLessThanOrEqual(nodes + surge);
            const served = new Set(run.pods().filter(isAvailable).map(nodeOf)).size;
            expect(served).toBeGreaterThanOrEqual(nodes - amountOf(bounds.maxUnavailable, nodes));
          }
          finish(run);
          expect(run.live().filter(isAvailable)).toHaveLength(nodes);
          expect(new Set(run.live().map(imageOf)).size).toBe(1);
          const revision = run.cluster.view.revision;
          run.settle();
          expect(run.cluster.view.revision).toBe(revision);
        },
      ),
      { numRuns: 80 },
    );
  });

  test("never has two pods of a kind on a node, and converges, whatever becomes of them", () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(disturbed, { minLength: 20, maxLength: 80, size: "max" }),
        ({ nodes, bounds }, actions) => {
          const run = simulate({ updateStrategy: { rollingUpdate: bounds } }, nodes);
          for (const each of actions) {
            perform(run, each);
            checkNodes(run, amountOf(bounds.maxSurge, 9) > 0 ? 2 : 1);
          }
          const names = run.cluster.view.list(node).map(({ metadata }) => metadata.name);
          for (const name of names) run.join(name); // Without its taint.
          finish(run);
          expect(homes(run.live().filter(isAvailable))).toEqual(names.toSorted());
          expect(run.self().status).toMatchObject({
            desiredNumberScheduled: names.length,
            updatedNumberScheduled: names.length,
            numberAvailable: names.length,
            numberMisscheduled: 0,
          });
          const revision = run.cluster.view.revision;
          run.settle();
          expect(run.cluster.view.revision).toBe(revision);
        },
      ),
      { numRuns: 80 },
    );
  });
});
