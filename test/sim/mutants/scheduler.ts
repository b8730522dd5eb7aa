import type { Mutant } from "../mutant.ts";

export const ofTheScheduler: readonly Mutant[] = [
  {
    rule: "B1",
    what: "binds do not write the node's load",
    file: "libs/admission/transaction.ts",
    from: "return loadsTouched(before, after).flatMap(",
    to: "return loadsTouched(before, after).slice(0, 0).flatMap(",
  },
  {
    rule: "B1",
    what: "a cordon does not write the node's load",
    file: "libs/admission/derived.ts",
    from: 'cordoned: spec["unschedulable"] ?? false,',
    to: 'cordoned: spec["unschedulable"] === 1,',
    of: ["deployments", "nodes"],
  },
  {
    rule: "B1",
    what: "a pod that is to grow counts as that at once",
    file: "libs/admission/prepare-size.ts",
    from: "return marked(object, allocationOf(before.spec));",
    to: "return object;",
  },
  {
    rule: "B1",
    what: "a pod that is being deleted takes no room",
    file: "services/scheduler/claim.ts",
    from: "export const takesRoom = (pod: PodFacts): boolean => !isTerminal(pod);",
    to: "export const takesRoom = (pod: PodFacts): boolean => isLive(pod) && !isTerminal(pod);",
  },
  {
    rule: "B1",
    what: "a nomination does not write the node's load",
    file: "libs/admission/derived.ts",
    from: 'return typeof is === "string" && is !== "" && is !== was ? [is] : [];',
    to: 'return typeof is === "string" && is !== "" && is !== was ? [] : [];',
    also: {
      file: "services/scheduler/writes.ts",
      from: "[writeOfLoad(node, context.view)]];",
      to: "[]];",
    },
    of: ["deployments", "priorities"],
  },
  {
    rule: "B1",
    what: "room that is made for one is free to all",
    file: "services/scheduler/decisions/place.ts",
    from: "const kept = nominated",
    to: "const kept = nominated.slice(0, 0)",
  },
  {
    rule: "O3",
    what: "a preemption leaves its budgets as they are",
    file: "libs/admission/evict.ts",
    from: "...[...charges].map(([budget, all]) => chargeFor(",
    to: "...[...charges].slice(0, 0).map(([budget, all]) => chargeFor(",
  },
  {
    rule: "B2",
    what: "a bind does not write the keys of its terms",
    file: "services/scheduler/terms.ts",
    from: "[...ids].map((id): Op => {",
    to: "[...ids].slice(0, 0).map((id): Op => {",
  },
  {
    rule: "S2",
    what: "a bind leaves out the claims that waited for it",
    file: "services/scheduler/writes.ts",
    from: "return [admitBind(podKind, pod, node, context).ops, ...storage];",
    to: "return [admitBind(podKind, pod, node, context).ops, ...storage.slice(0, 0)];",
  },
];
