/** Which pod goes where: pure, against the rooms of one cut. */
import type { Claim } from "../claim.ts";
import { type Room, withClaim } from "../room.ts";
import { hostPorts } from "./host-ports.ts";
import { nodeAffinity, preferredAffinity } from "./node-affinity.ts";
import type { Predicate, Score } from "./predicate.ts";
import { leastAllocated, resources } from "./resources.ts";
import { type Cohorts, countCohorts } from "./cohorts.ts";
import { type InterPod, interPod } from "./inter-pod.ts";
import type { NamespaceLabels } from "./pod-terms.ts";
import { type Spread, spreadOf } from "./spread.ts";
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

/** What the pods that are there mean to those that are placed. */
export type Around = { readonly cohorts: Cohorts; readonly labelsOf: NamespaceLabels };

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
 *
 * @param around absent: of the pods in the rooms, in namespaces without labels
 */
export function place(
  claims: readonly Claim[],
  rooms: readonly Room[],
  around: Around = aroundIn(rooms),
): Placed {
  const now = [...rooms];
  const binds = new Map<string, Claim[]>();
  const choices = new Map<Claim, readonly Choice[]>();
  const reserved = reservations();
  const refused: Placed["refused"][number][] = [];
  /** What is known of the nodes for pods that ask the same. */
  const kinds = new Map<string, Candidate[]>();
  const others = neighbourhoods(rooms, around);
  const hopeless = new Map<string, string>();

  for (const asked of claims.toSorted(inOrder)) {
    const claim = reserved.known(asked);
    const { sameAs } = claim;
    const near = others.of(claim);
    const candidates = kinds.get(sameAs) ?? candidatesFor(claim, now);
    kinds.set(sameAs, candidates);
    // Room only shrinks within a batch: what one could not have, its like cannot either.
    const like = `${sameAs}${near.alike}`;
    const known = hopeless.get(sameAs) ?? hopeless.get(like);
    const best = known === undefined ? bestOf(claim, candidates, { rooms: now, near }) : undefined;
    if (best === undefined) {
      const why = known ?? explain(claim, now, near);
      if (!near.mayImprove) hopeless.set(near.isAlone ? sameAs : like, why);
      refused.push({ claim: asked, why });
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
}

const aroundIn = (rooms: readonly Room[]): Around => ({
  cohorts: countCohorts(rooms),
  labelsOf: () => ({}),
});

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
  { rooms, near }: { readonly rooms: readonly Room[]; readonly near: Near },
): Candidate | undefined {
  const { hasWishes } = near.interPod;
  const fitting: Candidate[] = [];
  let [best, highest]: [Candidate | undefined, number] = [undefined, -1];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const candidate of candidates) {
    const room = rooms[candidate.at];
    if (room !== undefined && room !== candidate.room) judge(candidate, claim, room);
    if (!candidate.fits || near.refusal(candidate.room) !== undefined) continue;
    if (hasWishes) {
      const wish = near.interPod.wish(candidate.room);
      [least, most] = [Math.min(least, wish), Math.max(most, wish)];
      fitting.push(candidate);
      continue;
    }
    const total = candidate.score + spreadWeight * near.spread.score(candidate.room);
    if (total > highest) [best, highest] = [candidate, total];
  }
  for (const candidate of fitting) {
    const wish = near.interPod.wish(candidate.room);
    const met = most > least ? (100 * (wish - least)) / (most - least) : 0;
    const total =
      candidate.score + spreadWeight * near.spread.score(candidate.room) + interPodWeight * met;
    if (total > highest) [best, highest] = [candidate, total];
  }
  return best;
}

/** What other pods mean to pods that are alike. */
export type Near = {
  readonly interPod: InterPod;
  readonly spread: Spread;
  refusal(room: Room): string | undefined;
  /** Whether pods like that mean anything to them. */
  concerns(like: Claim): boolean;
  /** No other pod means anything to them. */
  readonly isAlone: boolean;
  /** Pods with the same text, that ask the same of a node, are refused alike. */
  readonly alike: string;
  /** What none could have before, one may have after another was placed. */
  readonly mayImprove: boolean;
};

/** How pods stand to those that are there, and to those that this batch has placed. */
function neighbourhoods(rooms: readonly Room[], { cohorts, labelsOf }: Around) {
  const byName = new Map(rooms.map((room) => [room.name, room]));
  const known = new Map<string, Near>();
  const placed: { readonly like: Claim; readonly room: Room }[] = [];
  return {
    of(claim: Claim): Near {
      const alike = JSON.stringify([claim.cohort, claim.spread, claim.group]);
      const found = known.get(alike);
      if (found !== undefined) return found;
      const near = nearOf(claim, alike, rooms, labelsOf);
      for (const { like, homes } of cohorts.all) {
        if (!near.concerns(like)) continue;
        for (const [node, count] of homes) {
          const room = byName.get(node);
          if (room !== undefined) note(near, like, room, count);
        }
      }
      for (const { like, room } of placed) note(near, like, room, 1);
      known.set(alike, near);
      return near;
    },
    placed(like: Claim, room: Room): void {
      placed.push({ like, room });
      for (const near of known.values()) note(near, like, room, 1);
    },
  };
}

function note(near: Near, like: Claim, room: Room, count: number): void {
  if (!near.concerns(like)) return;
  const { interPod, spread } = near;
  interPod.note(like, room, count);
  spread.note(like, room, count);
}

function nearOf(
  claim: Claim,
  alike: string,
  rooms: readonly Room[],
  labelsOf: NamespaceLabels,
): Near {
  const others = interPod(claim, labelsOf);
  const spread = spreadOf(claim, rooms);
  let isAlone = claim.spread.length === 0;
  const known = new Map<string, boolean>();
  return {
    interPod: others,
    spread,
    refusal: (room) => spread.refusal(room) ?? others.refusal(room),
    concerns(like) {
      const concerns = known.get(like.cohort) ?? (spread.concerns(like) || others.concerns(like));
      known.set(like.cohort, concerns);
      if (concerns) isAlone = false;
      return concerns;
    },
    get isAlone() {
      return isAlone && claim.affinity.required.length === 0;
    },
    alike,
    mayImprove:
      claim.affinity.required.length > 0 ||
      claim.spread.some(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule"),
  };
}

const inOrder = (a: Claim, b: Claim): number =>
  b.priority - a.priority || compare(a.createdAt, b.createdAt) || compare(a.address, b.address);

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
