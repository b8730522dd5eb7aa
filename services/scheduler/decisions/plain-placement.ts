/**
 * The rules of the decisions once more, as plainly as they can be said, for tests: every pod against every
 * node and every other pod, nothing counted beforehand.
 */
import type { SchedulingSettings } from "../../../libs/cluster/settings.ts";
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { selectsNode } from "../../../libs/model/pod/placement.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { presentImages } from "./image-locality.ts";
import { predicates, scoresBy } from "./place.ts";
import { matchesPod, type NamespaceLabels, type PodTerm } from "./pod-terms.ts";
import { demandsOf } from "./spread.ts";
import { isTolerated } from "./taints.ts";

/** Whether the pod may go to the node, with everything in the rooms where it is. */
export function plainlyFits(
  claim: Claim,
  room: Room,
  { rooms, labelsOf }: { readonly rooms: readonly Room[]; readonly labelsOf: NamespaceLabels },
): boolean {
  const all = rooms.flatMap((home) => home.claims.map((other) => ({ other, home })));
  const near = ({ topologyKey }: PodTerm, home: Room) =>
    topologyKey in home.labels && home.labels[topologyKey] === room.labels[topologyKey];
  const means = ({ pods }: PodTerm, other: Claim) => matchesPod(pods, other, labelsOf);

  const keptAway = all.some(({ other, home }) =>
    other.antiAffinity.required.some((term) => means(term, claim) && near(term, home)),
  );
  const keepsAway = claim.antiAffinity.required.some((term) =>
    all.some(({ other, home }) => means(term, other) && near(term, home)),
  );
  const wanted = claim.affinity.required;
  const companions = all.filter(({ other }) => wanted.every((term) => means(term, other)));
  const isTogether = wanted.every((term) => companions.some(({ home }) => near(term, home)));
  const isFirst =
    wanted.every((term) => means(term, claim) && term.topologyKey in room.labels) &&
    !companions.some(({ home }) => wanted.some(({ topologyKey }) => topologyKey in home.labels));
  return (
    predicates.every((predicate) => predicate.check(claim, room)) &&
    !keptAway &&
    !keepsAway &&
    (isTogether || isFirst) &&
    isEven(claim, room, rooms)
  );
}

function isEven(claim: Claim, room: Room, rooms: readonly Room[]): boolean {
  const hard = demandsOf(claim);
  return hard.every((constraint) => {
    const { topologyKey, labelSelector, maxSkew, minDomains = 1 } = constraint;
    const counted = rooms.filter(
      (one) =>
        hard.every((other) => other.topologyKey in one.labels) &&
        (constraint.nodeAffinityPolicy === "Ignore" || selectsNode(claim, one)) &&
        (constraint.nodeTaintsPolicy !== "Honor" || isTolerated(claim, one)),
    );
    const isMeant = (other: Claim) =>
      labelSelector !== undefined &&
      !other.ending &&
      other.namespace === claim.namespace &&
      matchesSelector(labelSelector, other.labels);
    const domain = room.labels[topologyKey];
    if (domain === undefined) return false;
    const countIn = (of: string | undefined) =>
      counted
        .filter(({ labels }) => labels[topologyKey] === of)
        .flatMap(({ claims }) => claims)
        .filter(isMeant).length;
    const domains = [...new Set(counted.map(({ labels }) => labels[topologyKey]))];
    const fewest = domains.length < minDomains ? 0 : Math.min(...domains.map(countIn));
    return countIn(domain) + (isMeant(claim) ? 1 : 0) - fewest <= maxSkew;
  });
}

/** How well each node suits the pod that takes it. */
export function plainTotals(
  asked: Claim,
  rooms: readonly Room[],
  {
    labelsOf,
    settings,
  }: { readonly labelsOf: NamespaceLabels; readonly settings: SchedulingSettings },
): ReadonlyMap<string, number> {
  const claim = presentImages(rooms)(asked);
  const fitting = rooms.filter((room) => plainlyFits(claim, room, { rooms, labelsOf }));
  const wishes = fitting.map((room) => wishAt(claim, room, rooms, labelsOf));
  const [low, high] = [Math.min(...wishes), Math.max(...wishes)];
  return new Map(
    fitting.map((room, nth) => {
      const own = scoresBy(settings).map((one) => one.weight * one.score(claim, room));
      const wished = high > low ? (100 * ((wishes[nth] ?? low) - low)) / (high - low) : 0;
      const others = 2 * (wished + evenness(claim, room, rooms));
      const owner = 2 * ownerScore(claim, room, { rooms, fitting, settings });
      return [room.name, own.reduce((sum, one) => sum + one, others + owner)];
    }),
  );
}

/** How many pods that are meant are in the domain of each node that has the label. */
const countsBy = (key: string, rooms: readonly Room[], isMeant: (pod: Claim) => boolean) => {
  const count = (of: string | undefined) =>
    rooms
      .filter(({ labels }) => labels[key] === of)
      .flatMap(({ claims }) => claims)
      .filter(isMeant).length;
  return (room: Room) => count(room.labels[key]);
};

const mean = (all: readonly number[]): number =>
  all.length === 0 ? 0 : all.reduce((sum, one) => sum + one, 0) / all.length;

/** How far constraints that are wishes are met. */
function evenness(claim: Claim, room: Room, rooms: readonly Room[]): number {
  const wishes = claim.spread.filter((one) => !demandsOf(claim).includes(one));
  return mean(
    wishes.map(({ topologyKey, labelSelector }) => {
      const isMeant = (other: Claim) =>
        labelSelector !== undefined &&
        !other.ending &&
        other.namespace === claim.namespace &&
        matchesSelector(labelSelector, other.labels);
      if (!(topologyKey in room.labels)) return 0;
      const count = countsBy(topologyKey, rooms, isMeant);
      const counted = rooms.filter(({ labels }) => topologyKey in labels);
      return 100 / (1 + count(room) - Math.min(...counted.map(count)));
    }),
  );
}

type Compared = {
  readonly rooms: readonly Room[];
  readonly fitting: readonly Room[];
  readonly settings: SchedulingSettings;
};

function ownerScore(claim: Claim, room: Room, { rooms, fitting, settings }: Compared): number {
  const isMeant = (other: Claim) => other.group === claim.group;
  const keys = settings.defaultSpread.filter((key) => key !== "kubernetes.io/hostname");
  const differing = keys.filter((key) => new Set(rooms.map(({ labels }) => labels[key])).size > 1);
  const isSpread = claim.isOwned && claim.spread.length === 0;
  const domains = (isSpread ? differing : []).map((key) => {
    const count = countsBy(key, rooms, isMeant);
    return 100 / (1 + count(room) - Math.min(...fitting.map(count)));
  });
  const here = room.claims.filter(isMeant).length;
  return mean(domains) + (settings.defaultSpread.length > keys.length ? 100 / (1 + here) : 0);
}

/** The weight of the wishes that are met there, the pod's own and others'. */
function wishAt(
  claim: Claim,
  room: Room,
  rooms: readonly Room[],
  labelsOf: NamespaceLabels,
): number {
  let sum = 0;
  for (const home of rooms) {
    const near = ({ topologyKey }: PodTerm) =>
      topologyKey in home.labels && home.labels[topologyKey] === room.labels[topologyKey];
    for (const other of home.claims) {
      const met = (term: PodTerm, one: Claim) => near(term) && matchesPod(term.pods, one, labelsOf);
      for (const { weight, term } of claim.affinity.preferred) if (met(term, other)) sum += weight;
      for (const { weight, term } of claim.antiAffinity.preferred)
        if (met(term, other)) sum -= weight;
      for (const { weight, term } of other.affinity.preferred) if (met(term, claim)) sum += weight;
      for (const { weight, term } of other.antiAffinity.preferred)
        if (met(term, claim)) sum -= weight;
      for (const term of other.affinity.required) if (met(term, claim)) sum += 1;
    }
  }
  return sum;
}
