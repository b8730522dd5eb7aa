import type { SchedulingSettings } from "../../../libs/cluster/settings.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Predicate, Score } from "./predicate.ts";

/** Requests of all pods stay within what the node can allocate; `pods` counts as one of them. */
export const resources: Predicate = {
  name: "NodeResourcesFit",
  fixed: false,
  check(claim, room) {
    for (const name in claim.requests) if (lacks(claim, room, name)) return false;
    return true;
  },
  explain: (claim, room) =>
    Object.keys(claim.requests)
      .filter((name) => lacks(claim, room, name))
      .map(lacking),
};

/** As Kubernetes says that a node has not enough of a resource. */
export const lacking = (name: string): string =>
  name === "pods" ? "Too many pods" : `Insufficient ${name}`;

function lacks({ requests }: Claim, { allocatable, taken }: Room, name: string): boolean {
  const asked = requests[name] ?? 0;
  return asked > 0 && (taken[name] ?? 0) + asked > (allocatable[name] ?? 0);
}

const weighed = ["cpu", "memory", "pods"] as const;

/** Prefers the node with the most left over: of CPU, memory and pod places alike. */
export const leastAllocated: Score = {
  name: "NodeResourcesLeastAllocated",
  weight: 1,
  score({ requests }, { allocatable, taken }) {
    let free = 0;
    for (const name of weighed) {
      const all = allocatable[name] ?? 0;
      if (all > 0) free += Math.max(all - (taken[name] ?? 0) - (requests[name] ?? 0), 0) / all;
    }
    return (100 * free) / weighed.length;
  },
};

/** Prefers the node with the least left over, so that others stay empty. */
const mostAllocated: Score = {
  name: "NodeResourcesMostAllocated",
  weight: 1,
  score: (claim, room) => 100 - leastAllocated.score(claim, room),
};

export const allocationScore = ({ strategy }: Pick<SchedulingSettings, "strategy">): Score =>
  strategy === "MostAllocated" ? mostAllocated : leastAllocated;

/**
 * Prefers the node where CPU and memory are then used alike: what is left of one is of no use without
 * the other. A pod that asks for neither changes neither.
 */
export const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  score({ requests }, { allocatable, taken }) {
    const [cpu, memory] = [requests["cpu"] ?? 0, requests["memory"] ?? 0];
    if (cpu + memory === 0) return 0;
    const used = (name: string, asked: number): number => {
      const all = allocatable[name] ?? 0;
      return all > 0 ? Math.min(((taken[name] ?? 0) + asked) / all, 1) : 0;
    };
    return 100 - 50 * Math.abs(used("cpu", cpu) - used("memory", memory));
  },
};
