import type { Claim } from "./claim.ts";
import type { Placed } from "./decisions/place.ts";

export type Bind = {
  readonly claim: Claim;
  readonly node: string;
  /** The keys of terms that are written with it (B2). */
  readonly terms: readonly string[];
};

/**
 * What is committed together: all that goes to one node, and with it what goes to others where both write
 * the key of one term. Each in the order in which it was placed.
 *
 * @param termsOf the terms that a pod carries, and those that mean it
 */
export function sharesOf(
  { binds, choices }: Pick<Placed, "binds" | "choices">,
  termsOf: (claim: Claim) => readonly string[],
): readonly (readonly Bind[])[] {
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
  return [...Map.groupBy(all, ({ node }) => leadOf(`node ${node}`)).values()];
}
