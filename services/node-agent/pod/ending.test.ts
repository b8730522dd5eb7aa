import { describe, expect, test } from "vitest";
import { createLog } from "../../../libs/telemetry/log.ts";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";
import { ending } from "./ending.ts";
import { aContainer, aWork, theHands } from "./fixtures.ts";
import { launcher } from "./launch.ts";
import type { PodWork } from "./spec.ts";

const log = createLog("test", "silent");
const deleted = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 };
const sleeping = (seconds: number) => ({
  containers: [{ name: "main", lifecycle: { preStop: { sleep: { seconds } } } }],
});

/** The end of a pod of one running container, on a clock that the test moves. */
function stage(spec: object = {}, given: Partial<PodWork> = deleted) {
  const clock = virtualClock();
  const hollow = hollowRuntime({ clock, random: seededRandom(1) });
  const acts: string[] = [];
  const events: string[] = [];
  const runtime: ContainerRuntime = {
    ...hollow,
    containers: () => [aContainer("main")],
    async stop(id, graceMs) {
      acts.push(`stop ${id} ${graceMs} at ${clock.monotonicMs()}`);
      await clock.sleep(graceMs);
    },
    remove: async (id) => void acts.push(`remove ${id} at ${clock.monotonicMs()}`),
  };
  const state = { work: aWork(spec, given), forgotten: false };
  const hands = theHands({
    clock,
    runtime,
    work: () => state.work,
    forgotten: () => state.forgotten,
    event: (_type, reason) => void events.push(reason),
  });
  const launch = launcher(log, () => undefined);
  const end = ending(hands, launch, true);
  const stop = (graceSeconds: number) =>
    launch.run("stop:main-0", () =>
      end.end({
        do: "stop",
        id: "main-0",
        container: "main",
        graceSeconds,
        why: "",
        replace: false,
      }),
    );
  return { clock, acts, events, state, end, stop };
}

describe("the end of a container", () => {
  test("counts its hook into the grace", async () => {
    const { clock, acts, events, stop } = stage(sleeping(10));
    stop(30);
    await clock.advance(30_000);
    expect(acts).toEqual(["stop main-0 20000 at 10000"]);
    expect(events).toEqual(["Killing"]);
  });

  test("leaves a moment for the signal when its hook takes all of the grace", async () => {
    const { clock, acts, events, stop } = stage(sleeping(60));
    stop(30);
    await clock.advance(60_000);
    expect(acts).toEqual(["stop main-0 2000 at 30000"]);
    expect(events).toEqual(["Killing", "FailedPreStopHook"]);
  });

  test("runs no hook when there is no grace", async () => {
    const { clock, acts, stop } = stage(sleeping(10));
    stop(0);
    await clock.advance(0);
    expect(acts).toEqual(["stop main-0 0 at 0"]);
  });
});

describe("the end of a pod", () => {
  test("leaves what is ended later what is left of the grace, and a moment at least", async () => {
    const { clock, end, stop } = stage();
    expect(end.graceSeconds()).toBe(30);
    stop(30);
    await clock.advance(12_000);
    expect(end.graceSeconds()).toBe(18);
    await clock.advance(60_000);
    expect(end.graceSeconds()).toBe(2);
  });

  test("is not to come while nobody deleted it", () => {
    expect(stage({}, {}).end.graceSeconds()).toBeUndefined();
  });

  test("comes sooner when the grace is made shorter", async () => {
    const { clock, acts, state, end, stop } = stage();
    stop(30);
    await clock.advance(1_000);
    state.work = aWork({}, { ...deleted, deletionGracePeriodSeconds: 5 });
    end.hurry();
    await clock.advance(10_000);
    expect(acts).toEqual(["stop main-0 30000 at 0", "stop main-0 0 at 5000"]);
  });

  test("comes at once when nobody knows the pod any more", async () => {
    const { clock, acts, state, end, stop } = stage();
    stop(30);
    state.forgotten = true;
    end.hurry();
    await clock.advance(10_000);
    expect(acts).toEqual(["stop main-0 30000 at 0", "remove main-0 at 2000"]);
  });
});
