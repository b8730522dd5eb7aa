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
  const compared = comparedBy(claim, { left, target, rooms: without });
  // What evens one thing out and another not might be moved back for that.
  const isWorse = compared.some(({ here, there }) => there[1] + 1 > here[1]);
  const fills = around.settings.strategy === "MostAllocated";
  const why =
    brokenAt(claim, left, without, around) ??
    (isWorse ? undefined : unevenness(compared)) ??
    (isWorse || fills ? undefined : fullness(claim, { home, target }));
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

/** By each constraint that tells the two nodes apart. */
function comparedBy(
  claim: Claim,
  {
    left,
    target,
    rooms,
  }: { readonly left: Room; readonly target: Room; readonly rooms: readonly Room[] },
): readonly Compared[] {
  return claim.spread.flatMap(({ topologyKey: key, labelSelector }) => {
    const [here, there] = [left.labels[key], target.labels[key]];
    if (labelSelector === undefined || here === undefined || there === undefined) return [];
    if (here === there) return [];
    const count = (domain: string) =>
      rooms
        .filter(({ labels }) => labels[key] === domain)
        .flatMap(({ claims }) => claims)
        .filter(
          (one) =>
            !one.ending &&
            one.namespace === claim.namespace &&
            matchesSelector(labelSelector, one.labels),
        ).length;
    return [{ key, here: [here, count(here) + 1], there: [there, count(there)] }];
  });
}

/** Where it is there are two more, or above, of the pods that a constraint counts. */
function unevenness(compared: readonly Compared[]): string | undefined {
  const worst = compared.find(({ here, there }) => here[1] - there[1] >= 2);
  if (worst === undefined) return undefined;
  const { key, here, there } = worst;
  return `${key} ${here[0]} has ${here[1]} of its pods, ${there[0]} ${there[1]}`;
}

/** The node that it is on is much fuller than the other, and remains no emptier when it has moved. */
function fullness(
  claim: Claim,
  { home, target }: { readonly home: Room; readonly target: Room },
): string | undefined {
  const [was, is] = [usedOf(home), usedOf(withClaim(target, claim))];
  if (was - usedOf(target) < fullerBy || is >= was) return undefined;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `of ${home.name} ${percent(was)} are requested, of ${target.name} ${percent(usedOf(target))}`;
}

/** The larger share of CPU and memory that is requested of a node. */
function usedOf({ allocatable, taken }: Room): number {
  const share = (name: string) =>
    (taken[name] ?? 0) / (allocatable[name] ?? Number.POSITIVE_INFINITY);
  return Math.max(share("cpu"), share("memory"));
}
