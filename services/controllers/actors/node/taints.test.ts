import { describe, expect, test } from "vitest";
import { timeOf } from "../../../../libs/model/time.ts";
import { aPod, start } from "../../fixtures.ts";
import { evictionAt, type Taint, taintsFor } from "./taints.ts";

const at = (key: string, effect: Taint["effect"] = "NoSchedule"): Taint => ({
  key: `node.kubernetes.io/${key}`,
  effect,
});
const now = { timeAdded: timeOf(start) };
const is = (type: string, status: "True" | "False" | "Unknown" = "True") => ({ type, status });
const ready = is("Ready");
const mine: Taint = { key: "mine", effect: "NoExecute", value: "v" };

describe("the taints of a node", () => {
  test.each([
    { name: "are none when it is ready", conditions: [ready], taints: [] },
    {
      name: "say that it is not ready",
      conditions: [is("Ready", "False")],
      taints: [at("not-ready"), { ...at("not-ready", "NoExecute"), ...now }],
    },
    {
      name: "say that it is unreachable",
      conditions: [is("Ready", "Unknown")],
      taints: [at("unreachable"), { ...at("unreachable", "NoExecute"), ...now }],
    },
    { name: "evict nobody before it was ever ready", conditions: [], taints: [at("not-ready")] },
    {
      name: "say what presses it, and evict nobody for that",
      conditions: [is("MemoryPressure"), is("DiskPressure"), is("PIDPressure"), ready],
      taints: [at("memory-pressure"), at("disk-pressure"), at("pid-pressure")],
    },
    {
      name: "say that its network is not there",
      conditions: [ready, is("NetworkUnavailable")],
      taints: [at("network-unavailable")],
    },
    {
      name: "say nothing of pressure that is unknown, nor of other conditions",
      conditions: [ready, is("MemoryPressure", "Unknown"), is("DiskPressure", "False"), is("Odd")],
      taints: [],
    },
    {
      name: "say that it is cordoned",
      conditions: [ready],
      cordoned: true,
      taints: [at("unschedulable")],
    },
    {
      name: "leave those of users, in their places",
      before: [mine, at("memory-pressure"), { key: "a", effect: "NoSchedule" } as const],
      conditions: [ready],
      taints: [mine, { key: "a", effect: "NoSchedule" }],
    },
    {
      name: "leave what has the name of one of ours and another effect",
      before: [at("disk-pressure", "NoExecute"), at("not-ready", "PreferNoSchedule")],
      conditions: [ready],
      taints: [at("disk-pressure", "NoExecute"), at("not-ready", "PreferNoSchedule")],
    },
    {
      name: "keep the time when they came",
      before: [{ ...at("unreachable", "NoExecute"), timeAdded: timeOf(start - 9_000) }],
      conditions: [is("Ready", "Unknown")],
      taints: [
        { ...at("unreachable", "NoExecute"), timeAdded: timeOf(start - 9_000) },
        at("unreachable"),
      ],
    },
    {
      name: "change from one to the other",
      before: [at("not-ready"), at("not-ready", "NoExecute")],
      conditions: [is("Ready", "Unknown")],
      taints: [at("unreachable"), { ...at("unreachable", "NoExecute"), ...now }],
    },
  ])("$name", ({ before = [], conditions, cordoned = false, taints }) => {
    expect(taintsFor(before, { conditions, cordoned }, start)).toEqual(taints);
  });
});

describe("an eviction", () => {
  const taint: Taint = { key: "k", value: "v", effect: "NoExecute", timeAdded: timeOf(start) };
  const pod = (...tolerations: object[]) => aPod("p", { node: "n1", spec: { tolerations } });
  test.each([
    {
      name: "is at once when its time has passed already",
      one: pod({ operator: "Exists", effect: "NoExecute", tolerationSeconds: -5 }),
      at: start,
    },
    {
      name: "never comes where the effect is tolerated",
      one: pod({ key: "k", operator: "Exists", effect: "NoExecute" }),
      at: undefined,
    },
    { name: "is at once where nothing tolerates", one: pod(), at: start + 9 },
    { name: "never comes where it is tolerated", one: pod({ operator: "Exists" }), at: undefined },
    {
      name: "waits for the shortest time",
      one: pod(
        { key: "k", value: "v", effect: "NoExecute", tolerationSeconds: 5 },
        { operator: "Exists", effect: "NoExecute", tolerationSeconds: 9 },
      ),
      at: start + 5_000,
    },
    { name: "does not mind another value", one: pod({ key: "k", value: "w" }), at: start + 9 },
  ])("$name", ({ one, at }) => {
    expect(evictionAt(one, [taint], start + 9)).toBe(at);
  });
});
