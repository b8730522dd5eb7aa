/** StatefulSets under schedules at random: turns at lagging cuts, pods that come, fail and go. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { aNode, withImage } from "../fixtures.ts";
import type { Fate } from "../simulated-pods.ts";
import {
  finish,
  isAvailable,
  isEnding,
  simulate,
  type Simulation,
} from "../simulated-statefulset.ts";
import { ordinalOf, revisionNameOf } from "./statefulset/identity.ts";
import { readySinceMs } from "../../../libs/model/pod/state.ts";

const shape = fc.record({
  replicas: fc.integer({ min: 1, max: 5 }),
  podManagementPolicy: fc.constantFrom("OrderedReady", "Parallel"),
  partition: fc.constantFrom(0, 0, 0, 1, 2),
  maxUnavailable: fc.constantFrom(1, 1, 2, "50%"),
  start: fc.constantFrom(0, 0, 3),
});
type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

const specOf = ({ replicas, podManagementPolicy, partition, maxUnavailable, start }: Shape) => ({
  replicas,
  podManagementPolicy,
  updateStrategy: { rollingUpdate: { partition, maxUnavailable } },
  ordinals: { start },
});
const mayMiss = ({ maxUnavailable, replicas }: Shape): number =>
  maxUnavailable === "50%" ? Math.ceil(replicas / 2) : Number(maxUnavailable);

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
  step(1, "unready", "failed", "deleted"),
  step(1, "scale"),
  step(1, "node"),
);
type Action = {
  readonly act:
    | "turn"
    | "ready"
    | "gone"
    | "image"
    | "unready"
    | "failed"
    | "deleted"
    | "scale"
    | "node";
  readonly nth: number;
  readonly ago: number;
};

function perform(run: Simulation, { act, nth, ago }: Action): void {
  run.pass(250);
  const pick = (of: readonly Pod[]) => of[nth % Math.max(of.length, 1)];
  const become = (one: Pod | undefined, fate: Fate) => {
    if (one !== undefined) run.becomes(one, fate);
  };
  switch (act) {
    case "turn":
      run.turn(ago);
      return;
    case "image":
      return run.edit(withImage(`web:v${nth}`));
    case "scale":
      return run.edit({ replicas: nth });
    case "node": {
      const status = nth % 2 === 0 ? "True" : "Unknown";
      return run.cluster.put(
        node,
        aNode("n1", { status: { conditions: [{ type: "Ready", status }] } }),
      );
    }
    case "deleted": {
      const one = pick(run.live());
      if (one === undefined) return;
      const deletionTimestamp = "2026-01-01T00:01:00Z";
      return run.cluster.put(pod, { ...one, metadata: { ...one.metadata, deletionTimestamp } });
    }
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

describe("whatever the cuts that its turns are decided at, a StatefulSet", () => {
  const indexOf = (run: Simulation, one: Pod) =>
    (ordinalOf(run.self(), one) ?? 0) - (run.self().spec.ordinals?.start ?? 0);

  /** What an action did to the pods, judged by how they stood before it. */
  function checkOrder(run: Simulation, of: Shape, before: readonly Pod[]): void {
    const known = new Map(before.map((one) => [one.metadata.name, one]));
    for (const one of run.pods()) {
      const index = indexOf(run, one);
      const old = known.get(one.metadata.name);
      if (old === undefined) {
        const lower = before.filter((other) => indexOf(run, other) < index);
        if (of.podManagementPolicy === "OrderedReady") {
          expect(lower.filter(isAvailable)).toHaveLength(index);
        }
      } else if (isEnding(one) && !isEnding(old)) {
        expect(index).toBeGreaterThanOrEqual(of.partition);
        const higher = before.filter((other) => indexOf(run, other) > index);
        const waiting = higher.filter(
          (other) =>
            !isAvailable(other) || revisionNameOf(other) !== run.self().status?.updateRevision,
        );
        expect(waiting.length).toBeLessThan(mayMiss(of));
      }
    }
  }

  test("keeps order, partition and maxUnavailable", () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(orderly, { minLength: 20, maxLength: 80, size: "max" }),
        (of, actions) => {
          const run = simulate(specOf(of));
          finish(run);
          run.edit(withImage("web:v9"));
          for (const each of actions) {
            const before = run.pods();
            perform(run, each);
            checkOrder(run, of, before);
            expect(run.available().length).toBeGreaterThanOrEqual(of.replicas - mayMiss(of));
            expect(run.pods().length).toBeLessThanOrEqual(of.replicas);
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

  test("never runs two pods of one name, and converges, whatever becomes of them", () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(disturbed, { minLength: 20, maxLength: 80, size: "max" }),
        (of, actions) => {
          const run = simulate(specOf(of));
          for (const each of actions) {
            const known = new Set(run.pods().map(({ metadata }) => metadata.uid));
            const { currentRevision } = run.self().status ?? {};
            perform(run, each); // It throws when two pods run under one name.
            const born = run.pods().filter(({ metadata }) => !known.has(metadata.uid));
            for (const one of currentRevision === undefined ? [] : born) {
              if (indexOf(run, one) >= of.partition) continue;
              expect(revisionNameOf(one)).toBe(currentRevision);
            }
          }
          run.cluster.put(node, aNode("n1"));
          finish(run);
          const { replicas } = run.self().spec;
          expect(run.names()).toEqual(
            Array.from({ length: replicas }, (_, nth) => `web-${of.start + nth}`),
          );
          const { status } = run.self();
          for (const one of run.pods().slice(of.partition)) {
            expect(revisionNameOf(one)).toBe(status?.updateRevision);
          }
          expect(status).toMatchObject({
            replicas,
            readyReplicas: replicas,
            availableReplicas: replicas,
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
