/** Which pod goes where: pure, against the rooms of one cut. */
import type { Claim } from "../claim.ts";
import { type Room, withClaim, withoutTaken, withReserved } from "../room.ts";
import { hostPorts } from "./host-ports.ts";
import { nodeAffinity, preferredAffinity } from "./node-affinity.ts";
import type { Predicate, Score } from "./predicate.ts";
import { leastAllocated, resources } from "./resources.ts";
import { type Around, aroundIn, type Near, neighbourhoods } from "./near.ts";
import { type Best, type Pools, poolsOf } from "./pools.ts";
import { type Budgets, noBudgets, type Nomination, preemptionIn } from "./preempt.ts";
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
const interPodWeight = 2;

export type Placed = {
  /** Node → what is bound to it, in the order of the queue. */
  readonly binds: ReadonlyMap<string, readonly Claim[]>;
  /** What is written of its claims to storage as a pod is bound. */
  readonly choices: ReadonlyMap<Claim, readonly Choice[]>;
  readonly refused: readonly Refused[];
};
export type Refused = {
  readonly claim: Claim;
  readonly why: string;
  /** Where room is made for it; undefined: nowhere. */
  readonly nomination: Nomination | undefined;
};

/** A pod for which room is being made on a node. */
export type Nominated = { readonly claim: Claim; readonly node: string };
/** What beside the rooms decides about their pods. */
export type Surroundings = Around & {
  /** Of the whole cluster. */
  readonly nominated: readonly Nominated[];
  readonly budgets: Budgets;
};

const fixed = predicates.filter((predicate) => predicate.fixed);
const changing = predicates.filter((predicate) => !predicate.fixed);

/**
 * Places each claim on the best node that takes it, counting those placed before it: the higher
 * priority first, of equals those for which room was made, then the older, then by name. Never more on a
 * node than it has room for, and none of what is kept there for a pod of no lower priority.
 */
export function place(
  claims: readonly Claim[],
  rooms: readonly Room[],
  given: Partial<Surroundings> = {},
): Placed {
  const { nominated = [], budgets = noBudgets } = given;
  const now = [...rooms];
  const binds = new Map<string, Claim[]>();
  const choices = new Map<Claim, readonly Choice[]>();
  const reserved = reservations();
  const refused: Refused[] = [];
  const pools = poolsOf(now, { isOpen, judge });
  const others = neighbourhoods(rooms, aroundIn(rooms, given));
  const preemption = preemptionIn(now, { isOpen, fits, budgets });
  const hopeless = new Map<string, string>();
  const places = new Map(rooms.map(({ name }, at) => [name, at]));

  const placing = new Set(claims.map(({ address }) => address));
  const kept = nominated
    .filter(({ claim }) => !placing.has(claim.address))
    .toSorted((a, b) => a.claim.priority - b.claim.priority);
  function reserve({ claim, node }: Nominated): void {
    const at = places.get(node);
    const room = at === undefined ? undefined : now[at];
    if (at !== undefined && room !== undefined) now[at] = withReserved(room, claim);
  }

  for (const asked of claims.toSorted(inOrder)) {
    while ((kept.at(-1)?.claim.priority ?? Number.NEGATIVE_INFINITY) >= asked.priority) {
      const next = kept.pop();
      if (next !== undefined) reserve(next);
    }
    const claim = reserved.known(asked);
    const near = others.of(claim);
    // Room only shrinks within a batch: what one could not have, its like cannot either.
    const like = `${claim.sameAs}${claim.alike}`;
    const known = hopeless.get(claim.sameAs) ?? hopeless.get(like);
    const best =
      known === undefined
        ? (bestAt(places.get(claim.nominated), claim, near) ?? bestOf(claim, near, pools))
        : undefined;
    if (best === undefined) {
      const why = known ?? explain(claim, now, near);
      if (!near.mayImprove) hopeless.set(near.isAlone ? claim.sameAs : like, why);
      const nomination = preemption.nominate(claim, near);
      refused.push({ claim: asked, why, nomination });
      if (nomination !== undefined) reserve({ claim, node: nomination.node });
      continue;
    }
    const chosen = choicesOn(claim.volumes, best.room) ?? [];
    reserved.take(chosen, best.room.name);
    choices.set(asked, chosen);
    others.placed(claim, best.room);
    now[best.at] = withClaim(best.room, claim);
    const bound = binds.get(best.room.name) ?? [];
    binds.set(best.room.name, bound);
    bound.push(asked);
  }
  return { binds, choices, refused };

  /** The node where room was made for it, if it takes the pod. */
  function bestAt(at: number | undefined, claim: Claim, near: Near): Best | undefined {
    const room = at === undefined ? undefined : now[at];
    if (at === undefined || room === undefined) return undefined;
    const takes = isOpen(claim, room) && fits(claim, room) && near.refusal(room) === undefined;
    return takes ? { at, room, total: 0 } : undefined;
  }
}

const isOpen = (claim: Claim, room: Room): boolean =>
  fixed.every((predicate) => predicate.check(claim, room));

function fits(claim: Claim, room: Room): boolean {
  for (const predicate of changing) if (!predicate.check(claim, room)) return false;
  return true;
}

function judge(claim: Claim, room: Room): number | undefined {
  if (!fits(claim, room)) return undefined;
  let score = 0;
  for (const one of scores) score += one.weight * one.score(claim, room);
  return score;
}

function bestOf(claim: Claim, near: Near, pools: Pools): Best | undefined {
  const parts = pools.openTo(claim, near);
  const wishes = near.hasWishes ? parts.map(({ like }) => near.wish(like)) : [];
  const [least, most] = [Math.min(...wishes), Math.max(...wishes)];
  const more = ({ groups }: Room) => spreadWeight * apartScore(groups.get(claim.group) ?? 0);
  const moreMax = spreadWeight * apartScore(0);
  let best: Best | undefined;
  for (const [nth, part] of parts.entries()) {
    const met = most > least ? (100 * ((wishes[nth] ?? least) - least)) / (most - least) : 0;
    const shared = spreadWeight * near.spread(part.like) + interPodWeight * met;
    const than = (best?.total ?? -1) - shared;
    if ((part.heap.peek()?.score ?? 0) + moreMax <= than) continue;
    const found = pools.bestOf(part, claim, { more, moreMax, than });
    if (found !== undefined) best = { ...found, total: found.total + shared };
  }
  return best;
}

/** Whether the node takes the pod, other pods' terms apart, when all that it may displace have gone. */
export function fitsBesides(claim: Claim, room: Room): boolean {
  if (!isOpen(claim, room)) return false;
  const lower = claim.preempts ? room.claims.filter((one) => one.priority < claim.priority) : [];
  return fits(claim, withoutTaken(room, lower));
}

/** 100 for a node without any of the owner's pods. */
const apartScore = (there: number): number => 100 / (1 + there);

const inOrder = (a: Claim, b: Claim): number =>
  b.priority - a.priority ||
  Number(b.nominated !== "") - Number(a.nominated !== "") ||
  compare(a.createdAt, b.createdAt) ||
  compare(a.address, b.address);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Why no node takes the pod, as Kubernetes says it: `0/3 nodes are available: 1 Insufficient cpu,
 * 2 node(s) were unschedulable.`
 */
export function explain(
  claim: Claim,
  rooms: readonly Room[],
  near: Pick<Near, "refusal"> = neighbourhoods(rooms, aroundIn(rooms)).of(claim),
): string {
  if (rooms.length === 0) return "no nodes available to schedule pods";
  const { problem } = claim.volumes;
  if (problem !== undefined) return `0/${rooms.length} nodes are available: ${problem}.`;
  const counts = new Map<string, number>();
  for (const room of rooms) {
    const refusing = predicates.find((predicate) => !predicate.check(claim, room));
    const others = refusing === undefined ? near.refusal(room) : undefined;
    const reasons = refusing?.explain(claim, room) ?? (others === undefined ? [] : [others]);
    for (const reason of reasons) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return `0/${rooms.length} nodes are available: ${reasons.join(", ")}.`;
}
