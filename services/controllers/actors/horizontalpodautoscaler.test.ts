import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler } from "../../../libs/model/kinds/horizontalpodautoscaler.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { anAutoscaler } from "../autoscaler-fixture.ts";
import type { Decision } from "../controller.ts";
import { aDeployment, aPod, start } from "../fixtures.ts";
import { changesAnnotation, changesOn, type Memory } from "./horizontalpodautoscaler/history.ts";
import type { MetricReading } from "./horizontalpodautoscaler/readings.ts";
import type { Scaled } from "./horizontalpodautoscaler/target.ts";
import { decide, periodMs, type World } from "./horizontalpodautoscaler.ts";

type Decided = Decision<Scaled, HorizontalPodAutoscaler>;

/** Long after its pods have begun. */
const now = start + 3_600_000;

/** A pod that requests 1,000 thousandths of a CPU. */
function podNamed(name: string): Pod {
  const resources = { requests: { cpu: "1" } };
  const containers = [{ name: "web", image: "web:v1", resources }];
  const made = aPod(name, { node: "n1", readySinceMs: start, spec: { containers } });
  return { ...made, status: { ...made.status, startTime: timeOf(start) } as Pod["status"] };
}

type Given = {
  readonly replicas?: number;
  /** Percent of a CPU that each pod uses; by default nothing is known. */
  readonly used?: number | undefined;
  readonly readings?: readonly MetricReading[];
  readonly rivals?: readonly string[];
  readonly memory?: Memory;
};

function aWorld(
  { replicas = 2, used, readings, rivals = [], memory }: Given = {},
  at = now,
): World {
  const pods = Array.from({ length: replicas }, (_, nth) => podNamed(`p${nth}`));
  const metric = { milli: (used ?? 0) * 10, at, windowMs: 4_000 };
  const metrics = new Map(pods.map(({ metadata }) => [metadata.name, metric]));
  const reading: MetricReading =
    used === undefined
      ? { of: "none", why: "unable to get metrics for resource cpu: no metrics returned" }
      : { of: "pods", metrics };
  const object = aDeployment({ replicas });
  return {
    target: {
      ok: true,
      object: { ...object, status: { ...object.status, replicas } } as Scaled,
      pods,
    },
    readings: readings ?? [reading],
    rivals,
    memory,
  };
}

/** It has listened for so long that nothing else is in its window. */
const listened = (replicas: number, at = now): Memory => ({
  uid: "hpa1",
  at: at - periodMs,
  recommendations: [{ at: at - periodMs, replicas }],
  shownAt: 0,
});

const wantedBy = ({ writes }: Decided) =>
  writes.map((write) => (write.op === "update" ? write.object.spec.replicas : write.op));
const conditionsOf = ({ status }: Decided) =>
  (status?.conditions ?? []).map(({ type, status: is, reason }) => `${type} ${is} ${reason}`);
const eventsOf = ({ events }: Decided) =>
  events.map(({ type, reason, message }) => `${type} ${reason} ${message}`);

describe("an autoscaler", () => {
  test("asks for more pods, and writes itself in the same turn (S2)", () => {
    const decided = decide(anAutoscaler(), aWorld({ used: 100 }), now);
    expect(wantedBy(decided)).toEqual([4]);
    expect(decided.status).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 4,
      lastScaleTime: timeOf(now),
      observedGeneration: 1,
      currentMetrics: [{ resource: { current: { averageUtilization: 100, averageValue: "1" } } }],
    });
    expect(conditionsOf(decided)).toEqual([
      "ScalingActive True ValidMetricFound",
      "ScalingLimited False DesiredWithinRange",
      "AbleToScale True SucceededRescale",
    ]);
    expect(eventsOf(decided)).toEqual([
      "Normal SuccessfulRescale New size: 4; reason: cpu resource utilization (percentage of request) above target",
    ]);
    const noted =
      decided.self?.op === "update" ? decided.self.object.metadata.annotations : undefined;
    expect(changesOn(noted)).toEqual([{ at: now, from: 2, to: 4 }]);
    expect(decided.wakeAt).toBe(now + periodMs);
  });

  test("does not ask for fewer before it has listened for the whole window (N1)", () => {
    const first = decide(anAutoscaler(), aWorld({ used: 10, replicas: 4 }), now);
    expect(wantedBy(first)).toEqual([]);
    expect(conditionsOf(first)).toContain("AbleToScale True ScaleDownStabilized");
    const later = decide(
      anAutoscaler(),
      aWorld({ used: 10, replicas: 4, memory: listened(1) }),
      now,
    );
    expect(wantedBy(later)).toEqual([1]);
  });

  test("knows what another instance did: a change made in the window counts as asked for", () => {
    const metadata = {
      annotations: { [changesAnnotation]: JSON.stringify([[now - 60_000, 2, 8]]) },
    };
    const self = anAutoscaler({}, { metadata });
    const decided = decide(self, aWorld({ used: 10, replicas: 8, memory: listened(1) }), now);
    expect(wantedBy(decided)).toEqual([]);
  });

  test("stays, and says nothing, while it cannot know yet (N1)", () => {
    const self = anAutoscaler();
    const decided = decide(
      self,
      aWorld({ readings: [{ of: "unknown" }], memory: listened(1) }),
      now,
    );
    expect(decided).toMatchObject({ writes: [], events: [], wakeAt: now + periodMs });
    expect(decided.status).toBe(self.status);
    expect(decided.remember).toMatchObject({ recommendations: [{ replicas: 1 }, { replicas: 2 }] });
  });

  test("writes nothing in a turn that changes nothing", () => {
    const first = decide(anAutoscaler(), aWorld({ used: 50, memory: listened(2) }), now);
    const self = { ...anAutoscaler(), status: first.status };
    const memory = first.remember as Memory;
    const later = now + 60_000;
    const world = aWorld({ used: 51, memory: { ...memory, at: later - periodMs } }, later);
    const second = decide(self, world, later);
    expect(second.status).toBe(self.status);
    expect([...second.writes, ...second.events, second.self]).toEqual([undefined]);
  });

  test("tells once why nothing can be computed", () => {
    const self = anAutoscaler();
    const first = decide(self, aWorld(), now);
    expect(conditionsOf(first)).toEqual([
      "AbleToScale True SucceededGetScale",
      "ScalingActive False FailedGetResourceMetric",
    ]);
    const why =
      "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned";
    expect(first.status?.conditions?.[1]?.message).toBe(
      `the HPA was unable to compute the replica count: ${why}`,
    );
    expect(eventsOf(first)).toEqual([
      `Warning FailedGetResourceMetric ${why}`,
      `Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: ${why}`,
    ]);
    const again = decide({ ...self, status: first.status }, aWorld(), now + periodMs);
    expect([again.events, again.writes]).toEqual([[], []]);
  });

  test.each<readonly [string, Record<string, unknown>, Given, number[], string]>([
    [
      "goes up to the minimum",
      { minReplicas: 5 },
      {},
      [5],
      "Current number of replicas below Spec.MinReplicas",
    ],
    [
      "goes down to the maximum at once",
      { maxReplicas: 1 },
      {},
      [1],
      "Current number of replicas above Spec.MaxReplicas",
    ],
  ])("%s, whatever its metrics are", (_name, spec, given, wanted, why) => {
    const decided = decide(anAutoscaler(spec), aWorld(given), now);
    expect(wantedBy(decided)).toEqual(wanted);
    expect(eventsOf(decided)).toEqual([
      `Normal SuccessfulRescale New size: ${wanted[0]}; reason: ${why}`,
    ]);
  });

  test("lets a target alone that was set to none", () => {
    const decided = decide(anAutoscaler(), aWorld({ replicas: 0 }), now);
    expect(decided).toMatchObject({ writes: [], wakeAt: undefined });
    expect(conditionsOf(decided)).toContain("ScalingActive False ScalingDisabled");
  });

  test("says that its target is not there", () => {
    const error = 'deployments.apps "web" not found';
    const world = { ...aWorld(), target: { ok: false, error } as const };
    const decided = decide(anAutoscaler(), world, now);
    expect(conditionsOf(decided)).toEqual(["AbleToScale False FailedGetScale"]);
    expect(eventsOf(decided)).toEqual([`Warning FailedGetScale ${error}`]);
    const again = decide({ ...anAutoscaler(), status: decided.status }, world, now);
    expect([again.status, again.events]).toEqual([decided.status, []]);
  });

  test("does nothing to a target that another one scales too", () => {
    const decided = decide(anAutoscaler(), aWorld({ used: 100, rivals: ["other"] }), now);
    expect(decided.writes).toEqual([]);
    expect(conditionsOf(decided)).toContain("ScalingActive False AmbiguousSelector");
  });

  test("keeps within what its limits permit, and says so", () => {
    const decided = decide(anAutoscaler({ maxReplicas: 3 }), aWorld({ used: 500 }), now);
    expect(wantedBy(decided)).toEqual([3]);
    expect(conditionsOf(decided)).toContain("ScalingLimited True TooManyReplicas");
  });
});

describe("of several metrics", () => {
  const lag = (averageValue: string) => ({
    type: "External",
    external: { metric: { name: "lag" }, target: { type: "AverageValue", averageValue } },
  });
  const cpu = anAutoscaler().spec.metrics[0] ?? expect.unreachable();
  const self = anAutoscaler({ metrics: [cpu, lag("10")] });
  const none: MetricReading = { of: "none", why: "gone" };
  const [known] = aWorld({ used: 50 }).readings;
  const usage = known ?? expect.unreachable();

  test.each<readonly [string, readonly MetricReading[], readonly number[]]>([
    ["the one that asks for most counts", [usage, { of: "whole", milli: 60_000 }], [6]],
    ["more are asked for though one is not known", [none, { of: "whole", milli: 60_000 }], [6]],
    ["no fewer are asked for while one is not known", [none, { of: "whole", milli: 1_000 }], []],
    [
      "nothing is asked for while one is to be heard yet",
      [{ of: "unknown" }, { of: "whole", milli: 60_000 }],
      [],
    ],
  ])("%s", (_name, readings, wanted) => {
    expect(wantedBy(decide(self, aWorld({ readings, memory: listened(0) }), now))).toEqual(wanted);
  });

  test("an external one leads from none to one pod and back", () => {
    const alone = anAutoscaler({ minReplicas: 0, metrics: [lag("10")] });
    const up = {
      replicas: 0,
      readings: [{ of: "whole", milli: 1_000 } as const],
      memory: listened(0),
    };
    expect(wantedBy(decide(alone, aWorld(up), now))).toEqual([1]);
    const down = {
      replicas: 1,
      readings: [{ of: "whole", milli: 0 } as const],
      memory: listened(0),
    };
    const decided = decide(alone, aWorld(down), now);
    expect(wantedBy(decided)).toEqual([0]);
    const rest = {
      replicas: 0,
      readings: [{ of: "whole", milli: 0 } as const],
      memory: listened(0),
    };
    expect(wantedBy(decide(alone, aWorld(rest), now))).toEqual([]);
  });
});

/** Lives of an autoscaler: loads that go up and down, and instances that take over from one another. */
describe("through loads and takeovers", () => {
  const anyStep = fc.record({
    used: fc.option(fc.nat(300), { nil: undefined, freq: 10 }),
    takeover: fc.constantFrom(false, false, false, false, true),
  });

  test("no window is cut short, limits hold, and the annotation tells what was done", () => {
    const windowSeconds = 60;
    const behavior = { scaleDown: { stabilizationWindowSeconds: windowSeconds } };
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120, size: "max" }), (steps) => {
        let self = anAutoscaler({ minReplicas: 1, maxReplicas: 8, behavior });
        let [replicas, at] = [3, now];
        let memory: Memory | undefined;
        const asked: { readonly at: number; readonly replicas: number }[] = [];
        for (const { used, takeover } of steps) {
          at += periodMs;
          if (takeover) memory = undefined;
          const world = aWorld({ replicas, used, ...(memory && { memory }) }, at);
          const decided = decide(self, world, at);
          memory = (decided.remember ?? memory) as Memory | undefined;
          const [wanted = replicas] = wantedBy(decided);
          const next = Number(wanted);
          expect(next).toBeGreaterThanOrEqual(1);
          expect(next).toBeLessThanOrEqual(8);
          if (used !== undefined) asked.push({ at, replicas: Math.ceil((used / 50) * replicas) });
          if (next < replicas) {
            const recent = asked.filter((one) => one.at > at - windowSeconds * 1_000);
            const within = recent.filter((one) => one.replicas <= replicas);
            // Whoever decides has heard, or been told, all that was asked for in the window.
            expect(next).toBeGreaterThanOrEqual(
              Math.max(...within.map((one) => one.replicas), 1) - 1,
            );
            expect(recent.every((one) => one.replicas <= replicas)).toBe(true);
          }
          if (decided.self?.op === "update") self = decided.self.object;
          self = { ...self, status: decided.status };
          replicas = next;
        }
      }),
      { numRuns: 200 },
    );
  }, 120_000);
});
