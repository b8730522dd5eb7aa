import { describe, expect, test } from "vitest";
import { podCensus, type SeenPod } from "./pod-census.ts";

const second = 1_000;
const at = (seconds: number) => new Date(seconds * second).toISOString();

type Facts = { readonly readyAt?: number; readonly deleted?: boolean; readonly phase?: string };
const aPod = (name: string, { readyAt, deleted, phase = "Running" }: Facts): SeenPod => ({
  metadata: { name, ...(deleted === true && { deletionTimestamp: at(0) }) },
  spec: { containers: [{ image: "web:v1" }] },
  status: {
    phase,
    conditions: [
      readyAt === undefined
        ? { type: "Ready", status: "False" }
        : { type: "Ready", status: "True", lastTransitionTime: at(readyAt) },
    ],
  },
});

/** Two ready pods, of which one may be missing, and one more may be there. */
function settledCensus(minReadySeconds = 0) {
  const census = podCensus({ replicas: 2, surge: 1, unavailable: 1, minReadySeconds });
  const saw = (name: string, facts: Facts | undefined, atSeconds = 10) =>
    census.saw(name, facts && aPod(name, facts), atSeconds * second);
  saw("a", { readyAt: 1 });
  saw("b", { readyAt: 1 });
  census.settled();
  return { saw, report: () => census.report() };
}

describe("a census of pods", () => {
  test("allows what surge and unavailability allow", () => {
    const { saw, report } = settledCensus();
    saw("c", {});
    saw("a", { readyAt: 1, deleted: true });
    saw("d", {});
    expect(report()).toMatchObject({ events: 5, mostLive: 3, fewestAvailable: 1, broken: [] });
  });

  test("names the event at which there is a pod too many", () => {
    const { saw, report } = settledCensus();
    saw("c", {});
    saw("d", {});
    expect(report().broken).toEqual(["event 4 (d): 4 pods"]);
  });

  test("counts neither deleted pods nor those that have ended as live", () => {
    const { saw, report } = settledCensus();
    saw("c", { phase: "Failed" });
    saw("d", { deleted: true });
    saw("e", undefined);
    expect(report()).toMatchObject({ mostLive: 2, broken: [] });
  });

  test("names the event at which too few are available", () => {
    const { saw, report } = settledCensus();
    saw("a", { readyAt: 1, deleted: true });
    saw("b", { readyAt: 1, deleted: true });
    expect(report().broken).toEqual(["event 4 (b): 0 available, 0 lost"]);
  });

  test("holds a pod that becomes unready by itself against nobody, until it is back", () => {
    const { saw, report } = settledCensus();
    saw("a", {});
    saw("b", { readyAt: 1, deleted: true });
    expect(report()).toMatchObject({ fewestAvailable: 0, lost: ["a"], broken: [] });
    saw("a", { readyAt: 9 });
    saw("a", { readyAt: 9, deleted: true });
    expect(report().broken).toEqual(["event 6 (a): 0 available, 0 lost"]);
  });

  test("takes a pod for available once it has been ready for minReadySeconds", () => {
    const { saw, report } = settledCensus(5);
    saw("c", { readyAt: 9 }, 9);
    saw("a", { readyAt: 1, deleted: true }, 10);
    saw("b", { readyAt: 1, deleted: true }, 13);
    expect(report().broken).toEqual(["event 5 (b): 0 available, 0 lost"]);
  });

  test("takes a pod that was lost for back once it has been ready for minReadySeconds", () => {
    const { saw, report } = settledCensus(5);
    saw("a", {}, 10);
    saw("a", { readyAt: 11 }, 11);
    saw("b", { readyAt: 1, deleted: true }, 12);
    expect(report()).toMatchObject({ fewestAvailable: 0, broken: [] });
    saw("b", undefined, 17);
    saw("a", { readyAt: 11, deleted: true }, 18);
    expect(report().broken).toEqual(["event 7 (a): 0 available, 0 lost"]);
  });
});
