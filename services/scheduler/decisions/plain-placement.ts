/**
 * The rules of the decisions once more, as plainly as they can be said, for tests: every pod against every
 * node and every other pod, nothing counted beforehand.
 */
import { matchesSelector } from "../../../libs/model/label-selector.ts";
import { selectsNode } from "../../../libs/model/pod/placement.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { predicates } from "./place.ts";
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
