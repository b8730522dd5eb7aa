/**
 * Which pod would be better off elsewhere, by so much that it is worth an eviction: pure, against the rooms
 * of one cut. Each move makes the cluster strictly more even, or keeps a term that was broken: so a cluster
 * that nobody changes comes to rest.
 */
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import type { Claim } from "../claim.ts";
import { type Room, withClaim, withoutClaim } from "../room.ts";
import { aroundIn, neighbourhoods } from "./near.ts";
import { place, type Surroundings } from "./place.ts";
import { isTolerated } from "./taints.ts";
import { nodeAffinity } from "./node-affinity.ts";

export type Move = {
  readonly claim: Claim;
  readonly from: string;
  /** Where it would go now; its successor is placed anew. */
  readonly to: string;
  readonly why: string;
};

/** By how much of what it has one node must be fuller than the other, so that a pod moves for that alone. */
const fullerBy = 0.25;

/** Why the pod should move, and where to; undefined: it is well where it is, or no better anywhere. */
export function moveOf(
  claim: Claim,
  from: string,
  rooms: readonly Room[],
  around: Omit<Surroundings, "cohorts">,
): Move | undefined {
  const home = rooms.find(({ name }) => name === from);
  if (home === undefined) return undefined;
  const without = rooms.map((room) => (room === home ? withoutClaim(room, claim) : room));
  const [to] = place([claim], without, around).binds.keys();
  const target = without.find(({ name }) => name === to);
  if (target === undefined || target.name === from) return undefined;
  const left = without.find(({ name }) => name === from) ?? home;
  const sides = { left, target, rooms: without };
  const own = claim.spread.flatMap((of) => comparedBy(of, claim, sides) ?? []);
  const skew = skewMade(claim, sides);
  const fills = around.settings.strategy === "MostAllocated";
  const why =
    brokenAt(claim, left, without, around) ??
    (skew < 0 ? unevenness(own) : undefined) ??
    (skew > 0 || fills ? undefined : fullness(claim, { home, left, target }));
  return why === undefined ? undefined : { claim, from, to: target.name, why };
}

/** What would keep the pod from where it is, if it came there now. */
function brokenAt(
  claim: Claim,
  left: Room,
  rooms: readonly Room[],
  around: Omit<Surroundings, "cohorts">,
): string | undefined {
  if (!nodeAffinity.check(claim, left)) return `${left.name} matches its node affinity no more`;
  if (!isTolerated(claim, left)) return undefined; // A taint says by its effect whether pods stay.
  const near = neighbourhoods(rooms, aroundIn(rooms, around)).of(claim);
  const refusal = near.refusal(left);
  return refusal === undefined
    ? undefined
    : `it would not be placed on ${left.name} now: ${refusal}`;
}

/** How many of the pods that a constraint counts are where it is, itself among them, and where it would go. */
type Compared = {
  readonly key: string;
  readonly here: readonly [domain: string, pods: number];
  readonly there: readonly [domain: string, pods: number];
};

type Sides = { readonly left: Room; readonly target: Room; readonly rooms: readonly Room[] };
type Constraint = Claim["spread"][number];

/** Undefined: the constraint does not tell the two nodes apart. */
function comparedBy(
  { topologyKey: key, labelSelector }: Constraint,
  { namespace }: Claim,
  { left, target, rooms }: Sides,
): Compared | undefined {
  const [here, there] = [left.labels[key], target.labels[key]];
  if (labelSelector === undefined || here === undefined || there === undefined) return undefined;
  if (here === there) return undefined;
  const count = (domain: string) =>
    rooms
      .filter(({ labels }) => labels[key] === domain)
      .flatMap(({ claims }) => claims)
      .filter(
        (one) =>
          !one.ending && one.namespace === namespace && matchesSelector(labelSelector, one.labels),
      ).length;
  return { key, here: [here, count(here) + 1], there: [there, count(there)] };
}

/**
 * How much more uneven the move makes what any pod's constraints count, by the sum of squares. It rests on
 * all of them, so that no pod is moved back for another's sake.
 */
function skewMade(claim: Claim, sides: Sides): number {
  const all = new Map<string, Constraint>();
  for (const one of [claim, ...sides.rooms.flatMap(({ claims }) => claims)]) {
    if (one.namespace !== claim.namespace) continue;
    for (const of of one.spread) all.set(JSON.stringify([of.topologyKey, of.labelSelector]), of);
  }
  let skew = 0;
  for (const of of all.values()) {
    if (of.labelSelector === undefined || !matchesSelector(of.labelSelector, claim.labels))
      continue;
    const compared = comparedBy(of, claim, sides);
    if (compared !== undefined) skew += 2 * (compared.there[1] - compared.here[1] + 1);
  }
  return skew;
}

/** Where it is there are two more, or above, of the pods that a constraint counts. */
function unevenness(compared: readonly Compared[]): string | undefined {
  const worst = compared.find(({ here, there }) => here[1] - there[1] >= 2);
  if (worst === undefined) return undefined;
  const { key, here, there } = worst;
  return `${key} ${here[0]} has ${here[1]} of its pods, ${there[0]} ${there[1]}`;
}

/** The node that it is on is much fuller than the other, and the two are more even when it has moved. */
function fullness(
  claim: Claim,
  { home, left, target }: { readonly home: Room; readonly left: Room; readonly target: Room },
): string | undefined {
  const [was, other] = [usedOf(home), usedOf(target)];
  const moved = withClaim(target, claim);
  if (was - other < fullerBy || squares(left) + squares(moved) >= squares(home) + squares(target))
    return undefined;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `of ${home.name} ${percent(was)} are requested, of ${target.name} ${percent(other)}`;
}

const weighed = ["cpu", "memory"] as const;

const shareOf = ({ allocatable, taken }: Room, name: (typeof weighed)[number]): number =>
  (taken[name] ?? 0) / (allocatable[name] ?? Number.POSITIVE_INFINITY);

/** The larger share of CPU and memory that is requested of a node. */
const usedOf = (room: Room): number => Math.max(...weighed.map((name) => shareOf(room, name)));

const squares = (room: Room): number =>
  weighed.reduce((sum, name) => sum + shareOf(room, name) ** 2, 0);
