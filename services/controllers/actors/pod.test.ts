import { describe, expect, test } from "vitest";
import { aPod, start } from "../fixtures.ts";
import { decide, type World } from "./pod.ts";

const ending = { metadata: { deletionTimestamp: "2026-01-01T00:00:30Z" } };
const held = { metadata: { ...ending.metadata, finalizers: ["example.com/hold"] } };
const endedHeld = { ...held, phase: "Failed" };

describe("a pod", () => {
  test.each<[string, World["node"], object, string | undefined]>([
    ["stays while its node is there", "there", {}, undefined],
    ["that was deleted waits for its node", "there", ending, undefined],
    ["goes with its node", "gone", {}, "remove"],
    ["stays on a node out of service until someone deletes it", "out of service", {}, undefined],
    ["that was deleted goes from a node out of service", "out of service", ending, "remove"],
    ["that has ended and that a finalizer holds is only marked", "gone", endedHeld, "delete"],
  ])("%s", (_name, node, state, op) => {
    const self = aPod("web", { node: "n1", ...state });
    expect(decide(self, { node, jobGone: false }, start).self?.op).toBe(op);
  });

  test("that a finalizer holds has failed before it is marked", () => {
    const self = aPod("web", { node: "n1", ...held, phase: "Running" });
    const decision = decide(self, { node: "gone", jobGone: false }, start);
    expect(decision).toMatchObject({ status: { phase: "Failed" } });
    expect(decision.self).toBeUndefined();
  });
});
