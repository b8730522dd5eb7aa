import type { Pod } from "../../libs/model/kinds/pod.ts";
import type { Claim } from "./claim.ts";
import type { Placed } from "./decisions/place.ts";

export type Bind = {
  readonly claim: Claim;
  readonly node: string;
  /** The keys of terms that are written with it (B2). */
  readonly terms: readonly string[];
};

/** What is committed together. */
export type Share = {
  /** In the order in which they were placed. */
  readonly binds: readonly Bind[];
  /** Pods that get more of the node that they are on. */
  readonly grown: readonly Pod[];
};

/**
 * All that comes to count on one node is committed together (B1), and with it what does on others where both
 * write the key of one term (B2).
 */
export function sharesOf(
  { binds, choices }: Pick<Placed, "binds" | "choices">,
  {
    grown,
    termsOf,
  }: {
    readonly grown: readonly Pod[];
    /** The terms that a pod carries, and those that mean it. */
    readonly termsOf: (claim: Claim) => readonly string[];
  },
): readonly Share[] {
  const nodes = new Map<Claim, string>();
  for (const [node, claims] of binds) for (const claim of claims) nodes.set(claim, node);
  /** A node, or a term, to another that it is together with. */
  const leads = new Map<string, string>();
  const leadOf = (one: string): string => {
    let lead = one;
    for (let next = leads.get(lead); next !== undefined; next = leads.get(lead)) lead = next;
    if (lead !== one) leads.set(one, lead);
    return lead;
  };
  const all = [...choices.keys()].map((claim): Bind => {
    const [node, terms] = [nodes.get(claim) ?? "", termsOf(claim)];
    for (const term of terms) {
      const [a, b] = [leadOf(`node ${node}`), leadOf(`term ${term}`)];
      if (a !== b) leads.set(b, a);
    }
    return { claim, node, terms };
  });
  const bound = Map.groupBy(all, ({ node }) => leadOf(`node ${node}`));
  const larger = Map.groupBy(grown, ({ spec }) => leadOf(`node ${spec.nodeName ?? ""}`));
  return [...new Set([...bound.keys(), ...larger.keys()])].map((lead) => ({
    binds: bound.get(lead) ?? [],
    grown: larger.get(lead) ?? [],
  }));
}
