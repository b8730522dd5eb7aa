import { describe, expect, test } from "vitest";
import { ApiError } from "../../../../libs/model/errors.ts";
import { create, type Decision, normal } from "../../controller.ts";
import { isRefused, refusedReplicas, refusedSome, withoutFailure } from "./refused.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
type Set = {
  readonly status?: {
    readonly replicas: number;
    readonly conditions?: {
      type: string;
      status: "True" | "False";
      lastTransitionTime?: string;
      message?: string;
      reason?: string;
    }[];
  };
};
const refusal = (name: string) => ({
  name,
  error: new ApiError("Forbidden", `pods "${name}" is forbidden: exceeded quota: q`),
});
const decision = (conditions?: NonNullable<Set["status"]>["conditions"]): Decision<never, Set> => ({
  writes: [],
  status: { replicas: 1, ...(conditions !== undefined && { conditions }) },
  wakeAt: undefined,
  events: [
    normal("SuccessfulCreate", "Created pod: a"),
    normal("SuccessfulCreate", "Created pod: b"),
  ],
});

describe("a set whose pods are refused", () => {
  test("says so, and tells only of the pods that it made", () => {
    const after = refusedReplicas({}, decision(), [refusal("b")], { now });
    expect(after.status?.conditions).toEqual([
      {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: "2026-01-01T00:00:00Z",
        reason: "FailedCreate",
        message: "pods is forbidden: exceeded quota: q",
      },
    ]);
    expect(after.events.map(({ reason, message }) => `${reason} ${message}`)).toEqual([
      "SuccessfulCreate Created pod: a",
      'FailedCreate Error creating: pods "b" is forbidden: exceeded quota: q',
    ]);
    expect(after.wakeAt).toBe(now + 1_000);
    expect(isRefused(after.status)).toBe(true);
  });

  test("stays as it is while that goes on, and tries ever later", () => {
    const first = refusedReplicas({}, decision(), [refusal("b")], { now });
    const self = { status: first.status } as Set; // As it was written.
    const again = refusedReplicas(self, decision(), [refusal("c")], { now: now + 12_000 });
    expect(again.status).toEqual(first.status);
    expect(again.events.filter(({ type }) => type === "Warning")).toEqual([]);
    expect(again.wakeAt).toBe(now + 24_000);
    const late = refusedReplicas(self, decision(), [refusal("d")], { now: now + 600_000 });
    expect(late.wakeAt).toBe(now + 630_000);
  });

  test("says so no more when its pods could be made", () => {
    const failed = refusedReplicas({}, decision(), [refusal("b")], { now }).status ?? {
      replicas: 0,
    };
    expect(withoutFailure(failed)).toEqual({ replicas: 1 });
    const other = { type: "Other", status: "True" as const };
    expect(withoutFailure({ conditions: [other, ...(failed.conditions ?? [])] })).toEqual({
      conditions: [other],
    });
  });
});

describe("a kind without a condition for it", () => {
  const born = (name: string) => create({ apiVersion: "v1", kind: "Pod", metadata: { name } });
  const two: Decision<object, Set> = { ...decision(), writes: [born("a"), born("b")] };

  test("makes the pods that fit, tells of the others, and tries again soon", () => {
    const after = refusedSome({}, two, [refusal("b")], { now, remembered: undefined });
    expect(after.writes).toEqual(two.writes); // Who admits them has left out the refused ones.
    expect(after.events.map(({ message }) => message)).toEqual([
      "Created pod: a",
      'Error creating: pods "b" is forbidden: exceeded quota: q',
    ]);
    expect(after.wakeAt).toBe(now + 1_000);
  });

  test("makes none when none fits: it tells so once, and tries ever later", () => {
    const refuse = (at: number, remembered: unknown, name = "a") =>
      refusedSome({}, two, [refusal(name), refusal("b")], { now: at, remembered });
    const first = refuse(now, undefined);
    expect(first.status).toEqual(two.status);
    expect(first.events.map(({ reason }) => reason)).toEqual(["FailedCreate"]);
    const second = refuse(now + 8_000, first.remember, "c");
    expect(second.events.filter(({ type }) => type === "Warning")).toEqual([]);
    expect(second.wakeAt).toBe(now + 16_000);
    const others = refuse(now + 300_000, second.remember);
    expect(others.events.map(({ reason }) => reason)).toEqual(["FailedCreate"]); // It had ended.
    expect(others.wakeAt).toBe(now + 301_000);
    const own = refusedSome({}, { ...two, remember: { failures: 2 } }, [refusal("a")], {
      now,
      remembered: undefined,
    });
    expect(own.remember).toMatchObject({ failures: 2, refused: { sinceMs: now } });
  });
});
