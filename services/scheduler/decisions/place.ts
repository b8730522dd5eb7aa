/** Which pod goes where: pure, against the rooms of one cut. */
import type { Claim } from "../claim.ts";
import { type Room, withClaim } from "../room.ts";
import { hostPorts } from "./host-ports.ts";
import { nodeAffinity, preferredAffinity } from "./node-affinity.ts";
import type { Predicate, Score } from "./predicate.ts";
import { leastAllocated, resources } from "./resources.ts";
import { domainsOf, spreadScore } from "./spread.ts";
import {
  type Choice,
  choicesOn,
  reservations,
  volumeBinding,
  volumeRestrictions,
} from "./volumes.ts";
import { preferUntainted, ready, schedulable, taints } from "./taints.ts";

/** In Kubernetes' order: the first that refuses a node is the one that is told. */
export const predicates: readonly Predicate[] = [
  schedulable,
  taints,
  ready,
  nodeAffinity,
  hostPorts,
  resources,
  volumeRestrictions,
  volumeBinding,
];
/** They look at nothing but what the pod asks, so pods that ask the same share them. */
export const scores: readonly Score[] = [leastAllocated, preferredAffinity, preferUntainted];
const spreadWeight = 2;

export type Placed = {
  /** Node → what is bound to it, in the order of the queue. */
  readonly binds: ReadonlyMap<string, readonly Claim[]>;
  /** What is written of its claims to storage as a pod is bound. */
  readonly choices: ReadonlyMap<Claim, readonly Choice[]>;
  readonly refused: readonly { readonly claim: Claim; readonly why: string }[];
};

const fixed = predicates.filter((predicate) => predicate.fixed);
const changing = predicates.filter((predicate) => !predicate.fixed);

/**
 * Places each claim on the best node that takes it, counting those placed before it: the higher
 * priority first, then the older, then by name. Never more on a node than it has room for.
 */
export function place(claims: readonly Claim[], rooms: readonly Room[]): Placed {
  const now = [...rooms];
  const binds = new Map<string, Claim[]>();
  const choices = new Map<Claim, readonly Choice[]>();
  const reserved = reservations();
  const refused: Placed["refused"][number][] = [];
  /** What is known of the nodes for pods that ask the same. */
  const kinds = new Map<string, Candidate[]>();
  const hopeless = new Map<string, string>();

  for (const asked of claims.toSorted(inOrder)) {
    const claim = reserved.known(asked);
    const { sameAs } = claim;
    const candidates = kinds.get(sameAs) ?? candidatesFor(claim, now);
    kinds.set(sameAs, candidates);
    // Room only shrinks within a batch: what one could not have, its like cannot either.
    const known = hopeless.get(sameAs);
    const best = known === undefined ? bestOf(claim, candidates, now) : undefined;
    if (best === undefined) {
      const why = known ?? explain(claim, now);
      hopeless.set(sameAs, why);
      refused.push({ claim: asked, why });
      continue;
    }
    const chosen = choicesOn(claim.volumes, best.room) ?? [];
    reserved.take(chosen, best.room.name);
    choices.set(asked, chosen);
    now[best.at] = withClaim(best.room, claim);
    const bound = binds.get(best.room.name) ?? [];
    binds.set(best.room.name, bound);
    bound.push(asked);
  }
  return { binds, choices, refused };
}

/** A node that pods of one kind may go to, judged as it was when `room` was it. */
type Candidate = { readonly at: number; room: Room; fits: boolean; score: number };

function candidatesFor(claim: Claim, rooms: readonly Room[]): Candidate[] {
  const candidates: Candidate[] = [];
  for (const [at, room] of rooms.entries()) {
    if (!fixed.every((predicate) => predicate.check(claim, room))) continue;
    candidates.push(judge({ at, room, fits: false, score: 0 }, claim, room));
  }
  return candidates;
}

function judge(candidate: Candidate, claim: Claim, room: Room): Candidate {
  candidate.room = room;
  candidate.fits = changing.every((predicate) => predicate.check(claim, room));
  candidate.score = 0;
  for (const one of scores) candidate.score += one.weight * one.score(claim, room);
  return candidate;
}

function bestOf(
  claim: Claim,
  candidates: readonly Candidate[],
  rooms: readonly Room[],
): Candidate | undefined {
  const domains = domainsOf(claim, rooms);
  let [best, highest]: [Candidate | undefined, number] = [undefined, -1];
  for (const candidate of candidates) {
    const room = rooms[candidate.at];
    if (room !== undefined && room !== candidate.room) judge(candidate, claim, room);
    if (!candidate.fits) continue;
    const total = candidate.score + spreadWeight * spreadScore(claim, candidate.room, domains);
    if (total > highest) [best, highest] = [candidate, total];
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
  const { problem } = claim.volumes;
  if (problem !== undefined) return `0/${rooms.length} nodes are available: ${problem}.`;
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
