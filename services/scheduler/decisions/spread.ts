/**
 * Topology spread constraints.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { selectsNode } from "../../../libs/model/pod/placement.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { isTolerated } from "./taints.ts";

export const spreadRefusal = "node(s) didn't match pod topology spread constraints";
export const labelRefusal = `${spreadRefusal} (missing required label)`;

type Constraint = Claim["spread"][number];

export type Spread = {
  /** Why the node does not take the pod; undefined: its constraints allow it. */
  refusal(room: Room): string | undefined;
  /** From 0 to 100, over its wishes: 100 where each finds its domain the emptiest. */
  score(room: Room): number;
  readonly hasWishes: boolean;
  /** The labels of its wishes. */
  readonly wishKeys: readonly string[];
  /** Whether any constraint counts pods like that. */
  concerns(like: Claim): boolean;
  /** `count` pods like that are on the node. */
  note(like: Claim, room: Room, count: number): void;
};

/** @param rooms every node of the cut */
export function spreadOf(claim: Claim, rooms: Iterable<Room>): Spread {
  const hard = demandsOf(claim);
  const hasAll = ({ labels }: Room) => hard.every(({ topologyKey }) => topologyKey in labels);
  const demands = hard.map((of) => ({
    of,
    isCounted: (room: Room) => hasAll(room) && isEligible(of, claim, room),
    self: selects(of, claim, claim) ? 1 : 0,
    domains: domainCounts(),
  }));
  const wishes = claim.spread
    .filter((of) => !isHard(of))
    .map((of) => ({
      of,
      isCounted: ({ labels }: Room) => of.topologyKey in labels,
      domains: domainCounts(),
    }));
  const all = [...demands, ...wishes];
  if (all.length > 0) {
    for (const room of rooms) {
      for (const { of, isCounted, domains } of all) {
        const domain = room.labels[of.topologyKey];
        if (domain !== undefined && isCounted(room)) domains.add(domain, 0);
      }
    }
  }
  return {
    refusal(room) {
      for (const { of, self, domains } of demands) {
        const domain = room.labels[of.topologyKey];
        if (domain === undefined) return labelRefusal;
        const fewest = domains.size < (of.minDomains ?? 1) ? 0 : domains.fewest();
        if (domains.of(domain) + self - fewest > of.maxSkew) return spreadRefusal;
      }
      return undefined;
    },
    score(room) {
      let score = 0;
      for (const { of, domains } of wishes) {
        const domain = room.labels[of.topologyKey];
        if (domain === undefined) continue;
        score += 100 / (1 + Math.max(domains.of(domain) - domains.fewest(), 0));
      }
      return wishes.length === 0 ? 0 : score / wishes.length;
    },
    hasWishes: wishes.length > 0,
    wishKeys: wishes.map(({ of }) => of.topologyKey),
    concerns: (like) => all.some(({ of }) => selects(of, claim, like)),
    note(like, room, count) {
      for (const { of, isCounted, domains } of all) {
        const domain = room.labels[of.topologyKey];
        if (domain === undefined || !selects(of, claim, like) || !isCounted(room)) continue;
        domains.add(domain, count);
      }
    },
  };
}

const isHard = ({ whenUnsatisfiable }: Constraint) => whenUnsatisfiable === "DoNotSchedule";

/** The constraints that keep a pod away; the others are wishes. */
export const demandsOf = ({ spread }: Pick<Claim, "spread">): readonly Constraint[] =>
  spread.filter(isHard);

/** Which nodes a constraint's domains are made of. */
const isEligible = (
  { nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore" }: Constraint,
  claim: Claim,
  room: Room,
): boolean =>
  (nodeAffinityPolicy === "Ignore" || selectsNode(claim, room)) &&
  (nodeTaintsPolicy === "Ignore" || isTolerated(claim, room));

/** Whether a constraint of `claim` counts pods like that; those that are being deleted count no more. */
export const selects = ({ labelSelector }: Constraint, claim: Claim, like: Claim): boolean =>
  labelSelector !== undefined &&
  !like.ending &&
  like.namespace === claim.namespace &&
  matchesSelector(labelSelector, like.labels);

type DomainCounts = {
  add(domain: string, count: number): void;
  of(domain: string): number;
  /** The least of any domain; without domains nothing is uneven. */
  fewest(): number;
  readonly size: number;
};

/** Counts mostly rise: the least is found again without looking at every domain each time. */
function domainCounts(): DomainCounts {
  const counts = new Map<string, number>();
  /** Count → how many domains have it. */
  const tally = new Map<number, number>();
  let least = 0;
  return {
    add(domain, count) {
      const was = counts.get(domain);
      const is = (was ?? 0) + count;
      if (was === is) return;
      counts.set(domain, is);
      if (was !== undefined) tally.set(was, (tally.get(was) ?? 1) - 1);
      tally.set(is, (tally.get(is) ?? 0) + 1);
      if (was === undefined || is < was) least = Math.min(least, is);
    },
    of: (domain) => counts.get(domain) ?? 0,
    fewest() {
      if (counts.size === 0) return Number.POSITIVE_INFINITY;
      while ((tally.get(least) ?? 0) === 0) least += 1;
      return least;
    },
    get size() {
      return counts.size;
    },
  };
}
