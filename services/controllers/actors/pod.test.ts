import { describe, expect, test } from "vitest";
import { aPod } from "../fixtures.ts";
import { decide, type World } from "./pod.ts";

const ending = { metadata: { deletionTimestamp: "2026-01-01T00:00:30Z" } };
const held = { metadata: { ...ending.metadata, finalizers: ["example.com/hold"] } };

describe("a pod", () => {
  test.each<[string, World["node"], object, string | undefined]>([
    ["stays while its node is there", "there", {}, undefined],
    ["that was deleted waits for its node", "there", ending, undefined],
    ["goes with its node", "gone", {}, "remove"],
    ["stays on a node out of service until someone deletes it", "out of service", {}, undefined],
    ["that was deleted goes from a node out of service", "out of service", ending, "remove"],
    ["that a finalizer holds is only marked", "gone", held, "delete"],
  ])("%s", (_name, node, state, op) => {
    expect(decide(aPod("web", { node: "n1", ...state }), { node }).self?.op).toBe(op);
  });
});
