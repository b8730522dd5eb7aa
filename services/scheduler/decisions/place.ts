/** Which pod goes where: pure, against the rooms of one cut. */
import type { Claim } from "../claim.ts";
import { type Room, withClaim } from "../room.ts";
import { hostPorts } from "./host-ports.ts";
import { nodeAffinity, preferredAffinity } from "./node-affinity.ts";
import type { Predicate, Score } from "./predicate.ts";
import { leastAllocated, resources } from "./resources.ts";
import { domainsOf, spreadOwner, spreadScore } from "./spread.ts";
import { preferUntainted, ready, schedulable, taints } from "./taints.ts";

/** In Kubernetes' order: the first that refuses a node is the one that is told. */
export const predicates: readonly Predicate[] = [
  schedulable,
  taints,
  ready,
  nodeAffinity,
  hostPorts,
  resources,
];
export const scores: readonly Score[] = [
  leastAllocated,
  preferredAffinity,
  preferUntainted,
  spreadOwner,
];
const spreadWeight = 2;

export type Placed = {
  /** Node → what is bound to it, in the order of the queue. */
  readonly binds: ReadonlyMap<string, readonly Claim[]>;
  readonly refused: readonly { readonly claim: Claim; readonly why: string }[];
};

const fixed = predicates.filter((predicate) => predicate.fixed);
const changing = predicates.filter((predicate) => !predicate.fixed);

/**
 * Places each claim on the best node that takes it, counting those placed before it: the higher
 * priority first, then the older, then by name. Never more on a node than it has room for.
 */
export function place(claims: readonly Claim[], rooms: readonly Room[]): Placed {
  const now = new Map(rooms.map((room) => [room.name, room]));
  const binds = new Map<string, Claim[]>();
  const refused: Placed["refused"][number][] = [];
  /** What pods that ask the same have in common. */
  const candidates = new Map<string, readonly string[]>();
  const hopeless = new Map<string, string>();

  for (const claim of claims.toSorted(inOrder)) {
    const { sameAs } = claim;
    const names = candidates.get(sameAs) ?? candidatesFor(claim, rooms);
    candidates.set(sameAs, names);
    // Room only shrinks within a batch: what one could not have, its like cannot either.
    const known = hopeless.get(sameAs);
    const best = known === undefined ? bestOf(claim, names, now) : undefined;
    if (best === undefined) {
      const why = known ?? explain(claim, [...now.values()]);
      hopeless.set(sameAs, why);
      refused.push({ claim, why });
      continue;
    }
    now.set(best.name, withClaim(best, claim));
    const bound = binds.get(best.name) ?? [];
    binds.set(best.name, bound);
    bound.push(claim);
  }
  return { binds, refused };
}

const candidatesFor = (claim: Claim, rooms: readonly Room[]): readonly string[] =>
  rooms
    .filter((room) => fixed.every((predicate) => predicate.check(claim, room)))
    .map(({ name }) => name);

function bestOf(
  claim: Claim,
  names: readonly string[],
  rooms: ReadonlyMap<string, Room>,
): Room | undefined {
  const domains = domainsOf(claim, rooms.values());
  let [best, highest]: [Room | undefined, number] = [undefined, -1];
  for (const name of names) {
    const room = rooms.get(name);
    if (room === undefined || !changing.every((predicate) => predicate.check(claim, room)))
      continue;
    let total = spreadWeight * spreadScore(claim, room, domains);
    for (const one of scores) total += one.weight * one.score(claim, room);
    if (total > highest) [best, highest] = [room, total];
  }
  return best;
}

const inOrder = (a: Claim, b: Claim): number =>
  b.priority - a.priority || compare(a.createdAt, b.createdAt) || compare(a.address, b.address);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Why no node takes the pod, as Kubernetes says it: `0/3 nodes are available: 1 Insufficient cpu,
 * 2 node(s) were unschedulable.`
 */
export function explain(claim: Claim, rooms: readonly Room[]): string {
  if (rooms.length === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const room of rooms) {
    const refusing = predicates.find((predicate) => !predicate.check(claim, room));
    for (const reason of refusing?.explain(claim, room) ?? []) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return `0/${rooms.length} nodes are available: ${reasons.join(", ")}.`;
}
