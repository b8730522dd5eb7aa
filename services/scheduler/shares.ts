import type { Pod } from "../../libs/model/kinds/pod.ts";
import type { Claim } from "./claim.ts";
import type { Placed } from "./decisions/place.ts";

export type Bind = {
  readonly claim: Claim;
  readonly node: string;
  /** The keys of terms that are written with it (B2). */
  readonly terms: readonly string[];
};

/** A pod that found no node, whose nomination changes, and what goes for it; its status says so in any case. */
export type Preemption = {
  readonly claim: Claim;
  readonly why: string;
  /** Where room is made for it from now on; "" for nowhere. */
  readonly node: string;
  readonly victims: readonly Claim[];
};

/** What is committed together. */
export type Share = {
  /** In the order in which they were placed. */
  readonly binds: readonly Bind[];
  /** Pods that get more of the node that they are on. */
  readonly grown: readonly Pod[];
  /** In the order in which they were decided. */
  readonly preemptions: readonly Preemption[];
};

/**
 * All that comes to count on one node is committed together (B1), and with it what does on others where both
 * write the key of one term (B2), or charge one disruption budget (O3), or where a pod leaves room to others
 * that was made for it.
 */
export function sharesOf(
  { binds, choices, refused }: Pick<Placed, "binds" | "choices" | "refused">,
  {
    grown,
    termsOf,
    budgetsOf,
  }: {
    readonly grown: readonly Pod[];
    /** The terms that a pod carries, and those that mean it. */
    readonly termsOf: (claim: Claim) => readonly string[];
    /** The budgets that count a pod's going. */
    readonly budgetsOf: (claim: Claim) => readonly string[];
  },
): readonly Share[] {
  const nodes = new Map<Claim, string>();
  for (const [node, claims] of binds) for (const claim of claims) nodes.set(claim, node);
  /** A node, a term or a budget, to another that it is together with. */
  const leads = new Map<string, string>();
  const leadOf = (one: string): string => {
    let lead = one;
    for (let next = leads.get(lead); next !== undefined; next = leads.get(lead)) lead = next;
    if (lead !== one) leads.set(one, lead);
    return lead;
  };
  const join = (node: string, other: string): void => {
    const [a, b] = [leadOf(`node ${node}`), leadOf(other)];
    if (a !== b) leads.set(b, a);
  };
  const bound = [...choices.keys()].map((claim): Bind => {
    const [node, terms] = [nodes.get(claim) ?? "", termsOf(claim)];
    for (const term of terms) join(node, `term ${term}`);
    if (claim.nominated !== "") join(node, `node ${claim.nominated}`);
    return { claim, node, terms };
  });
  const preempting = refused.flatMap(({ claim, why, nomination }): readonly Preemption[] => {
    if (isKept(claim, nomination)) return [];
    const { node, victims } = nomination ?? { node: "", victims: [] };
    if (node !== "" && claim.nominated !== "") join(node, `node ${claim.nominated}`);
    for (const budget of victims.flatMap(budgetsOf)) join(node, `budget ${budget}`);
    return [{ claim, why, node, victims }];
  });
  const of = <T>(all: readonly T[], nodeOf: (one: T) => string) =>
    Map.groupBy(all, (one) => leadOf(`node ${nodeOf(one)}`));
  const [b, g, p] = [
    of(bound, ({ node }) => node),
    of(grown, ({ spec }) => spec.nodeName ?? ""),
    of(preempting, ({ node, claim }) => (node === "" ? claim.nominated : node)),
  ];
  return [...new Set([...b.keys(), ...g.keys(), ...p.keys()])].map((lead) => ({
    binds: b.get(lead) ?? [],
    grown: g.get(lead) ?? [],
    preemptions: p.get(lead) ?? [],
  }));
}

/** Its nomination stays as it is: there is none, or room is being made already and nothing more goes. */
export const isKept = (
  { nominated }: Claim,
  nomination: { readonly node: string; readonly victims: readonly Claim[] } | undefined,
): boolean => nominated === (nomination?.node ?? "") && (nomination?.victims ?? []).length === 0;
