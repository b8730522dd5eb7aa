/**
 * Pod affinity and anti-affinity, of the pod that is placed and of those that are there.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { matchesPod, type NamespaceLabels, type PodTerm } from "./pod-terms.ts";

export const affinityRefusal = "node(s) didn't match pod affinity rules";
export const antiAffinityRefusal = "node(s) didn't match pod anti-affinity rules";
export const othersRefusal = "node(s) didn't satisfy existing pods anti-affinity rules";

/** As kube-scheduler's `hardPodAffinityWeight`: whom a pod must be near is glad of more. */
const requiredWeight = 1;

/** How many, or how much weight, in each domain of a node label. */
type Counts = { readonly topologyKey: string; readonly domains: Map<string, number> };
/** What one pod like that brings to the domain that it is in. */
type Effect = { readonly counts: Counts; readonly amount: number };

export type InterPod = {
  /** Why the node does not take the pod; undefined: it does, as far as other pods go. */
  refusal(room: Room): string | undefined;
  /** The weight of the wishes that are met there, the pod's own and others'. */
  wish(room: Room): number;
  /** The labels by whose domains wishes are met; without any nobody wishes anything. */
  readonly wishKeys: Iterable<string>;
  readonly hasWishes: boolean;
  /** The labels by which pods like that mean anything to this one, or it to them. */
  topologyKeys(like: Claim): readonly string[];
  /** `count` pods like that are on the node. */
  note(like: Claim, room: Room, count: number): void;
};

export function interPod(claim: Claim, labelsOf: NamespaceLabels): InterPod {
  const { affinity, antiAffinity } = claim;
  /** By label: pods that will not have this one near, and the weight of wishes. */
  const forbidden = new Map<string, Counts>();
  const wishes = new Map<string, Counts>();
  /** By term of the pod: those that it will not have near; those that it must be near. */
  const avoided = antiAffinity.required.map((term) => ({ ...countsOf(term), term }));
  const needed = affinity.required.map((term) => ({ ...countsOf(term), term }));
  const known = new Map<string, readonly Effect[]>();
  const isFirst =
    affinity.required.length > 0 &&
    affinity.required.every(({ pods }) => matchesPod(pods, claim, labelsOf));

  function effectsOf(like: Claim): readonly Effect[] {
    const found = known.get(like.cohort);
    if (found !== undefined) return found;
    const effects: Effect[] = [];
    const on = (counts: Counts, amount: number) => void effects.push({ counts, amount });
    const isMeant = ({ pods }: PodTerm) => matchesPod(pods, claim, labelsOf);
    const means = ({ pods }: PodTerm) => matchesPod(pods, like, labelsOf);
    for (const term of like.antiAffinity.required)
      if (isMeant(term)) on(countsIn(forbidden, term), 1);
    for (const counts of avoided) if (means(counts.term)) on(counts, 1);
    // Kubernetes counts those that all the terms mean, not each term's own.
    if (affinity.required.every(means)) for (const counts of needed) on(counts, 1);
    const wish = (term: PodTerm, amount: number) => on(countsIn(wishes, term), amount);
    for (const { weight, term } of affinity.preferred) if (means(term)) wish(term, weight);
    for (const { weight, term } of antiAffinity.preferred) if (means(term)) wish(term, -weight);
    for (const { weight, term } of like.affinity.preferred) if (isMeant(term)) wish(term, weight);
    for (const { weight, term } of like.antiAffinity.preferred)
      if (isMeant(term)) wish(term, -weight);
    for (const term of like.affinity.required) if (isMeant(term)) wish(term, requiredWeight);
    known.set(like.cohort, effects);
    return effects;
  }

  return {
    refusal(room) {
      for (const counts of needed) {
        if (room.labels[counts.topologyKey] === undefined) return affinityRefusal;
        if (countAt(counts, room) > 0) continue;
        // The first of a group that wants to be together goes anywhere.
        if (!isFirst || needed.some(({ domains }) => domains.size > 0)) return affinityRefusal;
      }
      for (const counts of avoided) if (countAt(counts, room) > 0) return antiAffinityRefusal;
      for (const counts of forbidden.values()) if (countAt(counts, room) > 0) return othersRefusal;
      return undefined;
    },
    wish(room) {
      let sum = 0;
      for (const counts of wishes.values()) sum += countAt(counts, room);
      return sum;
    },
    get wishKeys() {
      return wishes.keys();
    },
    get hasWishes() {
      return wishes.size > 0;
    },
    topologyKeys: (like) => effectsOf(like).map(({ counts }) => counts.topologyKey),
    note(like, room, count) {
      for (const { counts, amount } of effectsOf(like)) {
        const domain = room.labels[counts.topologyKey];
        if (domain === undefined) continue;
        const now = (counts.domains.get(domain) ?? 0) + amount * count;
        if (now === 0) counts.domains.delete(domain);
        else counts.domains.set(domain, now);
      }
    },
  };
}

const countsOf = ({ topologyKey }: PodTerm): Counts => ({ topologyKey, domains: new Map() });

/** Those of the term's label, made when there are none. */
function countsIn(all: Map<string, Counts>, term: PodTerm): Counts {
  const counts = all.get(term.topologyKey) ?? countsOf(term);
  all.set(term.topologyKey, counts);
  return counts;
}

function countAt({ topologyKey, domains }: Counts, { labels }: Room): number {
  const domain = labels[topologyKey];
  return domain === undefined ? 0 : (domains.get(domain) ?? 0);
}
