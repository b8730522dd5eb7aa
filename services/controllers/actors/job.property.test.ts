/** Whatever becomes of a Job's pods, and whatever the cuts that its turns are decided at. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasIndex, noIndexes, parseIndexes, sizeOf } from "../../../libs/model/batch/indexes.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { indexKey } from "./job/completion-index.ts";
import { type Fate, simulateJob, type SimulatedJob } from "./job/simulated-job.ts";
import { isTracked } from "./job/tracking.ts";
import { isLive, isTerminal } from "../../../libs/model/pod/state.ts";

type Action = {
  readonly act: "turn" | "pause" | "suspend" | "resume" | Fate["now"];
  readonly nth: number;
  readonly ago: number;
};
const step = (weight: number, ...acts: readonly Action["act"][]) => ({
  weight,
  arbitrary: fc.record({
    act: fc.constantFrom(...acts),
    nth: fc.nat(7),
    ago: fc.constantFrom(0, 0, 0, 1, 2, 3, 6),
  }),
});
const actions = fc.array(
  fc.oneof(
    step(10, "turn"),
    step(4, "running"),
    step(5, "succeeded"),
    step(3, "failed"),
    step(2, "deleted"),
    step(4, "gone"),
    step(2, "pause"),
    step(1, "suspend", "resume"),
  ),
  { minLength: 20, maxLength: 100, size: "max" },
);

const shared = {
  parallelism: fc.integer({ min: 1, max: 4 }),
  backoffLimit: fc.constantFrom(0, 1, 3, 100),
  podReplacementPolicy: fc.constantFrom("TerminatingOrFailed", "Failed"),
};
const counted = fc.record({ ...shared, completions: fc.integer({ min: 1, max: 6 }) });
const queue = fc.record(shared);
const indexed = fc.record({
  ...shared,
  completions: fc.integer({ min: 1, max: 6 }),
  completionMode: fc.constant("Indexed"),
});
const perIndex = fc
  .record({
    ...shared,
    completions: fc.integer({ min: 1, max: 6 }),
    completionMode: fc.constant("Indexed"),
    backoffLimitPerIndex: fc.nat(2),
  })
  .map(({ backoffLimit: _limit, ...rest }) => rest);

/** What the test itself saw of the pods, to compare the Job's own counts with. */
function witness(run: SimulatedJob, parallelism: number) {
  /** Ended so while they still held their finalizer. */
  const succeeded = new Map<string, Pod>();
  const failed = new Map<string, Set<string>>();

  function see(): void {
    seeFailures();
    const pods = run.pods();
    for (const one of pods) {
      if (isTracked(one) && one.status?.phase === "Succeeded") succeeded.set(one.metadata.uid, one);
    }
    const live = pods.filter(isLive);
    expect(live.length).toBeLessThanOrEqual(parallelism);
    const status = run.self().status ?? {};
    const uncounted = pods.filter((one) => isTracked(one) && one.status?.phase === "Succeeded");
    if (run.self().spec.completionMode === "Indexed") seeIndexes(live);
    // Counted exactly once, in the very transaction that lets the pod go.
    else expect(status.succeeded ?? 0).toBe(succeeded.size - uncounted.length);
    if (run.self().spec.completions !== undefined) {
      expect(status.succeeded ?? 0).toBeLessThanOrEqual(run.self().spec.completions ?? 0);
    }
    if (run.end() !== undefined) {
      expect(live).toEqual([]);
      expect(pods.filter(isTracked)).toEqual([]);
    }
  }

  function seeIndexes(live: readonly Pod[]): void {
    const indexes = live.map(({ metadata }) => metadata.annotations?.[indexKey] ?? "");
    expect(new Set(indexes).size).toBe(indexes.length);
    const done = parseIndexes(run.self().status?.completedIndexes ?? "") ?? noIndexes;
    expect(indexes.filter((index) => hasIndex(done, Number(index)))).toEqual([]);
    const ofSuccess = [...succeeded.values()].map(
      ({ metadata }) => metadata.annotations?.[indexKey] ?? "",
    );
    expect(new Set(ofSuccess).size).toBe(ofSuccess.length);
    const uncounted = run
      .pods()
      .filter((one) => isTracked(one) && one.status?.phase === "Succeeded");
    expect(sizeOf(done)).toBe(ofSuccess.length - uncounted.length);
    expect(run.self().status?.succeeded ?? 0).toBe(sizeOf(done));
  }

  /** No index fails more often than its limit, and once more. */
  function seeFailures(): void {
    const limit = run.self().spec.backoffLimitPerIndex;
    for (const one of run.pods()) {
      if (!isTracked(one) || one.status?.phase !== "Failed") continue;
      const index = one.metadata.annotations?.[indexKey] ?? "";
      const uids = failed.get(index) ?? new Set();
      failed.set(index, uids.add(one.metadata.uid));
      if (limit !== undefined) expect(uids.size).toBeLessThanOrEqual(limit + 1);
    }
  }
  return { see };
}

function perform(run: SimulatedJob, { act, nth, ago }: Action): void {
  run.pass(500);
  const pick = (of: readonly Pod[]) => of[nth % Math.max(of.length, 1)]?.metadata.name ?? "";
  const open = run.end() === undefined;
  if (act === "turn") run.turn(ago);
  else if (act === "pause") run.pass(60_000);
  else if (act === "suspend") void (open && run.edit({ suspend: true }));
  else if (act === "resume") void (open && run.edit({ suspend: false }));
  else if (act === "gone") {
    run.become(pick(run.pods().filter((one) => !isLive(one))), { now: "gone" });
  } else run.become(pick(run.pods().filter((one) => !isTerminal(one))), { now: act });
}

/** The faults stop: pods succeed, agents end what is ending. */
function finish(run: SimulatedJob, see: () => void): void {
  run.edit({ suspend: false });
  for (let round = 0; round < 60; round += 1) {
    run.settle();
    see();
    if (run.end() !== undefined) return;
    run.clear();
    see();
    for (const { metadata } of run.live()) run.become(metadata.name, { now: "succeeded" });
    see();
    run.pass(360_000);
  }
  throw new Error("it never came to an end");
}

describe("a Job, whatever becomes of its pods, and whatever the cuts of its turns,", () => {
  test.each([
    { name: "counts each success once", specs: counted },
    { name: "that is a work queue ends", specs: queue },
    { name: "never runs an index twice", specs: indexed },
    { name: "limits each index's failures", specs: perIndex },
  ])("$name", ({ specs }) => {
    fc.assert(
      fc.property(specs as fc.Arbitrary<{ parallelism: number }>, actions, (spec, list) => {
        const run = simulateJob(spec);
        const { see } = witness(run, spec.parallelism);
        for (const each of list) {
          perform(run, each);
          see();
        }
        finish(run, see);
        const { revision } = run.cluster.view;
        run.settle();
        expect(run.cluster.view.revision).toBe(revision);
      }),
      { numRuns: 40 },
    );
  });
});
