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

/** How many, or how much weight, by node label and its value. */
type Domains = Map<string, Map<string, number>>;
/** What one pod like that brings to the domain that it is in. */
type Effect = { readonly on: Domains; readonly topologyKey: string; readonly amount: number };

export type InterPod = {
  /** Why the node does not take the pod; undefined: it does, as far as other pods go. */
  refusal(room: Room): string | undefined;
  /** The weight of the wishes that are met there, the pod's own and others'. */
  wish(room: Room): number;
  /** Whether anyone wishes anything. */
  readonly hasWishes: boolean;
  /** The labels by which pods like that mean anything to this one, or it to them. */
  topologyKeys(like: Claim): readonly string[];
  /** `count` pods like that are on the node. */
  note(like: Claim, room: Room, count: number): void;
};

export function interPod(claim: Claim, labelsOf: NamespaceLabels): InterPod {
  const { affinity, antiAffinity } = claim;
  /** Pods that will not have this one near. */
  const forbidden: Domains = new Map();
  /** By term of the pod: those that it will not have near; those that it must be near. */
  const avoided = antiAffinity.required.map((): Domains => new Map());
  const needed = affinity.required.map((): Domains => new Map());
  const needs = affinity.required.map(({ topologyKey }) => topologyKey);
  const avoids = antiAffinity.required.map(({ topologyKey }) => topologyKey);
  const wishes: Domains = new Map();
  const known = new Map<string, readonly Effect[]>();
  const isFirst =
    affinity.required.length > 0 &&
    affinity.required.every(({ pods }) => matchesPod(pods, claim, labelsOf));

  function effectsOf(like: Claim): readonly Effect[] {
    const found = known.get(like.cohort);
    if (found !== undefined) return found;
    const effects: Effect[] = [];
    const on = (domains: Domains, { topologyKey }: PodTerm, amount: number) =>
      void effects.push({ on: domains, topologyKey, amount });
    const isMeant = ({ pods }: PodTerm) => matchesPod(pods, claim, labelsOf);
    const means = ({ pods }: PodTerm) => matchesPod(pods, like, labelsOf);
    for (const term of like.antiAffinity.required) if (isMeant(term)) on(forbidden, term, 1);
    for (const [nth, term] of antiAffinity.required.entries()) {
      const counts = avoided[nth];
      if (counts !== undefined && means(term)) on(counts, term, 1);
    }
    // Kubernetes counts those that all the terms mean, not each term's own.
    if (needed.length > 0 && affinity.required.every(means)) {
      for (const [nth, term] of affinity.required.entries()) {
        const counts = needed[nth];
        if (counts !== undefined) on(counts, term, 1);
      }
    }
    for (const { weight, term } of affinity.preferred) if (means(term)) on(wishes, term, weight);
    for (const { weight, term } of antiAffinity.preferred)
      if (means(term)) on(wishes, term, -weight);
    for (const { weight, term } of like.affinity.preferred)
      if (isMeant(term)) on(wishes, term, weight);
    for (const { weight, term } of like.antiAffinity.preferred)
      if (isMeant(term)) on(wishes, term, -weight);
    for (const term of like.affinity.required) if (isMeant(term)) on(wishes, term, requiredWeight);
    return effects;
  }

  return {
    refusal(room) {
      // Asked for every domain and pod: plain loops.
      for (let nth = 0; nth < needs.length; nth += 1) {
        const topologyKey = needs[nth] ?? "";
        if (room.labels[topologyKey] === undefined) return affinityRefusal;
        if (countIn(needed[nth], topologyKey, room) > 0) continue;
        // The first of a group that wants to be together goes anywhere.
        if (!isFirst || needed.some((domains) => domains.size > 0)) return affinityRefusal;
      }
      for (let nth = 0; nth < avoids.length; nth += 1) {
        if (countIn(avoided[nth], avoids[nth] ?? "", room) > 0) return antiAffinityRefusal;
      }
      for (const topologyKey of forbidden.keys()) {
        if (countIn(forbidden, topologyKey, room) > 0) return othersRefusal;
      }
      return undefined;
    },
    wish(room) {
      let sum = 0;
      for (const topologyKey of wishes.keys()) sum += countIn(wishes, topologyKey, room);
      return sum;
    },
    get hasWishes() {
      return wishes.size > 0;
    },
    topologyKeys: (like) => effectsOf(like).map(({ topologyKey }) => topologyKey),
    note(like, room, count) {
      for (const { on, topologyKey, amount } of effectsOf(like)) {
        const domain = room.labels[topologyKey];
        if (domain === undefined) continue;
        const counts = on.get(topologyKey) ?? new Map<string, number>();
        on.set(topologyKey, counts);
        counts.set(domain, (counts.get(domain) ?? 0) + amount * count);
      }
    },
  };
}

function countIn(domains: Domains | undefined, topologyKey: string, { labels }: Room): number {
  const domain = labels[topologyKey];
  return domain === undefined ? 0 : (domains?.get(topologyKey)?.get(domain) ?? 0);
}
