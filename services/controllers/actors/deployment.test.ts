import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deployment, type Deployment } from "../../../libs/model/kinds/deployment.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { rolloutBounds } from "../../../libs/model/rollout.ts";
import { behaviourOf } from "../behaviour.ts";
import {
  aDeployment,
  aNamespace,
  aNode,
  countingRandom,
  settings,
  start,
  withImage,
} from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { type Fate, podBecomes } from "../simulated-pods.ts";
import { deployments } from "./deployment.ts";
import { replicaSets } from "./replicaset.ts";
import { isLive, readySinceMs } from "../../../libs/model/pod/state.ts";

const nodes = { seen: () => undefined, judgeable: () => true };

/** A Deployment with its actors, whose nodes and users are the test. */
function simulate(spec: Readonly<Record<string, unknown>>) {
  const cluster = simulatedCluster();
  let now = start;
  const notes: string[] = [];
  const record = (facts: { readonly message: string }) => void notes.push(facts.message);
  const ports = { nodes, settings, random: countingRandom(), record, view: cluster.view };
  const [above, below] = [behaviourOf(deployments, ports), behaviourOf(replicaSets, ports)];
  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  cluster.put(deployment, aDeployment(spec));
  const self = (): Deployment => {
    const found = cluster.view.get(deployment, "default", "web");
    if (found === undefined) throw new Error("the Deployment is gone");
    return found;
  };
  const pods = () => cluster.view.list(pod);
  return {
    cluster,
    notes,
    self,
    pods,
    sets: () => cluster.view.list(replicaSet),
    live: () => pods().filter(isLive),
    available: () => pods().filter((one) => isLive(one) && readySinceMs(one) !== undefined),
    now: () => now,
    pass: (ms: number) => void (now += ms),
    edit(change: Readonly<Record<string, unknown>>) {
      const before = self();
      const generation = (before.metadata.generation ?? 0) + 1;
      const spec = { ...before.spec, ...aDeployment({ ...before.spec, ...change }).spec };
      cluster.put(deployment, { ...before, metadata: { ...before.metadata, generation }, spec });
    },
    turnDeployment: (ago: number) => cluster.turn(above, "default/web", ago, now),
    turnSet(nth: number, ago: number) {
      const names = [...below.all(cluster.view)];
      const name = names[nth % Math.max(names.length, 1)];
      if (name !== undefined) cluster.turn(below, name, ago, now);
    },
    settle: () => cluster.settle([above, below], () => now),
    becomes: (one: Pod, what: Fate) => podBecomes(cluster, one, what, now),
  };
}
type Simulation = ReturnType<typeof simulate>;

/** Everything happens as it should, until nothing more does. */
function finish(run: Simulation): void {
  for (let round = 0; round < 100; round += 1) {
    run.settle();
    const ending = run.pods().filter((one) => one.metadata.deletionTimestamp !== undefined);
    const starting = run.live().filter((one) => readySinceMs(one) === undefined);
    if (ending.length + starting.length === 0) return;
    for (const one of ending) run.becomes(one, "gone");
    for (const one of starting) run.becomes(one, "ready");
    run.pass(1_000);
  }
  throw new Error("it never came to rest");
}

describe("a Deployment", () => {
  test("makes a set of the first revision, and its pods", () => {
    const run = simulate({ replicas: 3 });
    finish(run);
    expect(run.live()).toHaveLength(3);
    expect(run.sets()).toHaveLength(1);
    expect(run.self().metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "1",
    });
    expect(run.self().status).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    const reasons = run.self().status?.conditions?.map(({ reason }) => reason);
    expect(reasons).toEqual(
      expect.arrayContaining(["MinimumReplicasAvailable", "NewReplicaSetAvailable"]),
    );
  });

  test("rests once all is as wanted", () => {
    const run = simulate({ replicas: 3 });
    finish(run);
    const before = run.cluster.view.revision;
    run.settle();
    expect(run.cluster.view.revision).toBe(before);
  });

  test("rolls to a new template, then back to the old set as the newest revision", () => {
    const run = simulate({ replicas: 3 });
    finish(run);
    run.edit(withImage("web:v2"));
    finish(run);
    const [old, fresh] = run.sets().toSorted((a, b) => a.spec.replicas - b.spec.replicas);
    expect([old?.spec.replicas, fresh?.spec.replicas]).toEqual([0, 3]);
    run.edit(withImage("web:v1"));
    finish(run);
    const again = run.sets().find(({ metadata }) => metadata.uid === old?.metadata.uid);
    expect(again?.spec.replicas).toBe(3);
    expect(again?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
    expect(run.self().metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
    });
  });

  test("keeps as many old sets as its limit", () => {
    const run = simulate({ replicas: 1, revisionHistoryLimit: 2 });
    for (const version of [1, 2, 3, 4, 5]) {
      run.edit(withImage(`web:v${version}`));
      finish(run);
    }
    const images = run.sets().map(({ spec }) => spec.template.spec.containers[0]?.image);
    expect(new Set(images)).toEqual(new Set(["web:v3", "web:v4", "web:v5"]));
  });

  test("that recreates has no new pod beside an old one", () => {
    const run = simulate({ replicas: 2, strategy: { type: "Recreate" } });
    finish(run);
    run.edit(withImage("web:v2"));
    run.settle();
    expect(run.live()).toHaveLength(0); // The old ones are ending: nothing is made yet.
    const old = run.pods();
    expect(old).toHaveLength(2);
    finish(run);
    expect(run.available()).toHaveLength(2);
  });

  test("that is paused rolls nothing out, but scales", () => {
    const run = simulate({ replicas: 2 });
    finish(run);
    run.edit({ ...withImage("web:v2"), paused: true, replicas: 4 });
    finish(run);
    expect(run.sets()).toHaveLength(1);
    expect(run.live()).toHaveLength(4);
    expect(run.self().status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Progressing", reason: "DeploymentPaused" }),
    );
    run.edit({ paused: false });
    finish(run);
    expect(run.sets()).toHaveLength(2);
    expect(run.available()).toHaveLength(4);
  });

  test("shares a scale between its sets in the middle of a rollout", () => {
    const run = simulate({
      replicas: 10,
      strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    });
    finish(run);
    run.edit(withImage("web:v2"));
    run.settle();
    for (const one of run.pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined))
      run.becomes(one, "gone");
    run.settle();
    expect(
      run
        .sets()
        .map(({ spec }) => spec.replicas)
        .toSorted((a, b) => a - b),
    ).toEqual([5, 8]);
    run.edit({ replicas: 15 });
    run.turnDeployment(0);
    expect(
      run
        .sets()
        .map(({ spec }) => spec.replicas)
        .toSorted((a, b) => a - b),
    ).toEqual([7, 11]);
  });

  test("says when its progress deadline has passed", () => {
    const run = simulate({ replicas: 1, progressDeadlineSeconds: 10 });
    run.settle();
    run.pass(10_000);
    run.settle();
    expect(run.self().status?.conditions).not.toContainEqual(
      expect.objectContaining({ reason: "ProgressDeadlineExceeded" }),
    );
    run.pass(1_001);
    run.settle();
    expect(run.self().status?.conditions).toContainEqual(
      expect.objectContaining({
        type: "Progressing",
        status: "False",
        reason: "ProgressDeadlineExceeded",
      }),
    );
  });

  const amount = fc.oneof(fc.nat(4), fc.constantFrom("0%", "25%", "50%", "100%"));
  const rolling = fc
    .record({ replicas: fc.integer({ min: 1, max: 7 }), maxSurge: amount, maxUnavailable: amount })
    .filter(
      ({ maxSurge, maxUnavailable }) =>
        parseInt(String(maxSurge), 10) + parseInt(String(maxUnavailable), 10) > 0,
    );
  const step = <A extends string>(weight: number, ...acts: readonly A[]) => ({
    weight,
    arbitrary: fc.record({
      act: fc.constantFrom(...acts),
      nth: fc.nat(5),
      ago: fc.constantFrom(0, 0, 0, 1, 2, 3, 6),
    }),
  });
  const orderly = fc.oneof(
    step(4, "deployment"),
    step(6, "set"),
    step(5, "ready"),
    step(2, "gone"),
    step(1, "image"),
  );
  const disturbed = fc.oneof({ weight: 6, arbitrary: orderly }, step(1, "unready", "failed"));
  type Action = {
    readonly act: "deployment" | "set" | "ready" | "gone" | "image" | "unready" | "failed";
    readonly nth: number;
    readonly ago: number;
  };

  function perform(run: Simulation, { act, nth, ago }: Action): void {
    run.pass(250);
    const pick = (of: readonly Pod[]) => of[nth % Math.max(of.length, 1)];
    if (act === "deployment") run.turnDeployment(ago);
    else if (act === "set") run.turnSet(nth, ago);
    else if (act === "image") run.edit(withImage(`web:v${nth}`));
    else if (act === "gone") {
      const one = pick(
        run.pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined),
      );
      if (one !== undefined) run.becomes(one, "gone");
    } else {
      const one = pick(
        run.live().filter((each) => act !== "ready" || readySinceMs(each) === undefined),
      );
      if (one !== undefined) run.becomes(one, act);
    }
  }

  function start2({
    replicas,
    maxSurge,
    maxUnavailable,
  }: {
    replicas: number;
    maxSurge: string | number;
    maxUnavailable: string | number;
  }) {
    const strategy = { rollingUpdate: { maxSurge, maxUnavailable } };
    const run = simulate({ replicas, strategy });
    const amounts = { maxSurge, maxUnavailable } as Parameters<typeof rolloutBounds>[0];
    return { run, bounds: rolloutBounds(amounts, replicas) };
  }

  test("keeps maxSurge and maxUnavailable whatever the cuts that turns are decided at", () => {
    fc.assert(
      fc.property(
        rolling,
        fc.array(orderly, { minLength: 20, maxLength: 80, size: "max" }),
        (of, actions) => {
          const { run, bounds } = start2(of);
          finish(run);
          run.edit(withImage("web:v9"));
          for (const each of actions) {
            perform(run, each);
            expect(run.live().length).toBeLessThanOrEqual(of.replicas + bounds.surge);
            expect(run.available().length).toBeGreaterThanOrEqual(of.replicas - bounds.unavailable);
          }
          finish(run);
          expect(run.available()).toHaveLength(of.replicas);
          const revision = run.cluster.view.revision;
          run.settle();
          expect(run.cluster.view.revision).toBe(revision);
        },
      ),
      { numRuns: 80 },
    );
  });

  test("never has too many pods, and converges, whatever becomes of them", () => {
    fc.assert(
      fc.property(
        rolling,
        fc.array(disturbed, { minLength: 20, maxLength: 80, size: "max" }),
        (of, actions) => {
          const { run, bounds } = start2(of);
          for (const each of actions) {
            perform(run, each);
            expect(run.live().length).toBeLessThanOrEqual(of.replicas + bounds.surge);
          }
          finish(run);
          expect(run.available()).toHaveLength(of.replicas);
          expect(run.self().status).toMatchObject({
            updatedReplicas: of.replicas,
            replicas: of.replicas,
          });
        },
      ),
      { numRuns: 80 },
    );
  });
});
