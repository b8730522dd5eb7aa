/** Which pod goes where: pure, against the rooms of one cut. */
import { defaultScheduling, type SchedulingSettings } from "../../../libs/cluster/settings.ts";
import type { Claim } from "../claim.ts";
import { type Room, withClaim, withoutTaken, withReserved } from "../room.ts";
import { hostPorts } from "./host-ports.ts";
import { nodeAffinity, preferredAffinity } from "./node-affinity.ts";
import type { Predicate, Score } from "./predicate.ts";
import { allocationScore, balancedAllocation, resources } from "./resources.ts";
import { imageLocality, presentImages } from "./image-locality.ts";
import { type Around, aroundIn, type Near, neighbourhoods } from "./near.ts";
import { apartScore, ownerSpread, type OwnerSpread } from "./owner-spread.ts";
import { type Best, type Judge, type Pools, poolsOf } from "./pools.ts";
import { relativeScores } from "./relative-scores.ts";
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
export const scoresBy = (settings: SchedulingSettings): readonly Score[] => [
  allocationScore(settings),
  balancedAllocation,
  preferredAffinity,
  preferUntainted,
  imageLocality,
];

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
  readonly settings: SchedulingSettings;
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
  const { nominated = [], budgets = noBudgets, settings = defaultScheduling } = given;
  const now = [...rooms];
  const binds = new Map<string, Claim[]>();
  const choices = new Map<Claim, readonly Choice[]>();
  const reserved = reservations();
  const refused: Refused[] = [];
  const pools = poolsOf(now, { isOpen, judge: judgeBy(scoresBy(settings)) });
  const others = neighbourhoods(rooms, aroundIn(rooms, given));
  const owners = ownerSpread(rooms, settings);
  const withImages = presentImages(rooms);
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
    if (at !== undefined && room !== undefined) change(at, withReserved(room, claim));
  }
  function change(at: number, room: Room): void {
    now[at] = room;
    pools.changed(at);
  }

  for (const asked of claims.toSorted(inOrder)) {
    while ((kept.at(-1)?.claim.priority ?? Number.NEGATIVE_INFINITY) >= asked.priority) {
      const next = kept.pop();
      if (next !== undefined) reserve(next);
    }
    const claim = withImages(reserved.known(asked));
    const near = others.of(claim);
    // Room only shrinks within a batch: what one could not have, its like cannot either.
    const like = `${claim.sameAs}${claim.alike}`;
    const known = hopeless.get(claim.sameAs) ?? hopeless.get(like);
    const best =
      known === undefined
        ? (bestAt(places.get(claim.nominated), claim, near) ??
          bestOf(claim, { near, owners, pools }))
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
    owners.placed(claim, best.room);
    change(best.at, withClaim(best.room, claim));
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

const judgeBy =
  (scores: readonly Score[]): Judge =>
  (claim, room) => {
    if (!fits(claim, room)) return undefined;
    let score = 0;
    for (const one of scores) score += one.weight * one.score(claim, room);
    return score;
  };

function bestOf(
  claim: Claim,
  {
    near,
    owners,
    pools,
  }: { readonly near: Near; readonly owners: OwnerSpread; readonly pools: Pools },
): Best | undefined {
  const { parts, refuses } = pools.openTo(claim, near, owners.keysOf(claim));
  const likes = parts.map(({ like }) => like);
  const relative = relativeScores(claim, likes, { near, owners });
  const more = owners.byNode
    ? (room: Room) => apartScore.weight * apartScore.score(claim, room)
    : () => 0;
  const moreMax = owners.byNode ? apartScore.weight * 100 : 0;
  let best: Best | undefined;
  for (const [nth, part] of parts.entries()) {
    let shared = 0;
    for (const { weight, score } of relative) shared += weight * score(part.like, nth);
    const than = (best?.total ?? -1) - shared;
    if ((part.heap.peek()?.score ?? 0) + moreMax <= than) continue;
    const found = pools.bestOf(part, { refuses, more, moreMax, than });
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
