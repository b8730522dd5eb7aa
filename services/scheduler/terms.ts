/**
 * The keys of required terms that span nodes (B2): anti-affinity, affinity and topology spread. `terms`
 * lists those that some pod carries; a bind guards it as of its cut, and writes the key of every term
 * that its pod carries or that means its pod. So of two schedulers that place pods which one term
 * concerns only one commits, and the other decides anew upon what that one did.
 */
import { createHash } from "node:crypto";
import { encode, heldAt } from "../../libs/admission/transaction.ts";
import { termKey, termsKey } from "../../libs/cluster/key.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Op } from "../../libs/store/store.ts";
import { type Claim, claimOf, takesRoom } from "./claim.ts";
import {
  matchesPod,
  type NamespaceLabels,
  type PodMatcher,
  type PodTerm,
} from "./decisions/pod-terms.ts";
import { demandsOf } from "./decisions/spread.ts";

/** What lies at `terms`: whom each term means, by its id. */
type Listed = { readonly [id: string]: PodMatcher };

/** More than so many are forgotten in several steps: a transaction has room for 1,000 writes. */
const forgottenMax = 500;

const carried = new WeakMap<Claim, Listed>();

/** The required terms that a pod carries. */
export function termsOf(claim: Claim): Listed {
  const known = carried.get(claim);
  if (known !== undefined) return known;
  const { affinity, antiAffinity, namespace } = claim;
  const own = [
    ...affinity.required,
    ...antiAffinity.required,
    ...demandsOf(claim).map(({ topologyKey, labelSelector }) => ({
      topologyKey,
      pods: { namespaces: [namespace], namespaceSelector: undefined, selector: labelSelector },
    })),
  ];
  const terms = Object.fromEntries(own.map((term) => [idOf(term), term.pods]));
  carried.set(claim, terms);
  return terms;
}

const idOf = (term: PodTerm): string =>
  createHash("sha256")
    .update(JSON.stringify([term.topologyKey, term.pods]))
    .digest("hex")
    .slice(0, 32);

export type Terms = {
  /** Ids of what the pod carries, or what means it; undefined: what it carries is not listed yet. */
  concerning(claim: Claim): readonly string[] | undefined;
  /** That the list has not moved. */
  readonly guard: Op;
  writes(ids: Iterable<string>): readonly Op[];
};

/** The terms as of the view's cut. */
export function termsAt(view: ClusterView, labelsOf: NamespaceLabels): Terms {
  const listed = listedIn(view);
  const all = Object.entries(listed);
  const known = new Map<string, readonly string[]>();
  const meaning = (claim: Claim): readonly string[] => {
    const found = known.get(claim.cohort);
    if (found !== undefined) return found;
    const ids = all.flatMap(([id, pods]) => (matchesPod(pods, claim, labelsOf) ? [id] : []));
    known.set(claim.cohort, ids);
    return ids;
  };
  return {
    concerning(claim) {
      const own = Object.keys(termsOf(claim));
      if (!own.every((id) => Object.hasOwn(listed, id))) return undefined;
      return [...new Set([...own, ...meaning(claim)])];
    },
    guard: { op: "guard", key: termsKey, expect: heldAt(view, termsKey) },
    writes: (ids) =>
      [...ids].map((id): Op => {
        const key = termKey(id);
        return { op: "put", key, expect: heldAt(view, key), value: encode({}) };
      }),
  };
}

/**
 * Lists what the pods carry that are to be placed, and leaves out what no pod carries any more. Binds
 * that were decided upon the former list fail then, and are decided anew.
 */
export function listTerms(claims: readonly Claim[], view: ClusterView): readonly Op[] {
  const before = listedIn(view);
  const wanted: Record<string, PodMatcher> = {};
  for (const claim of claims) Object.assign(wanted, termsOf(claim));
  for (const pod of view.list(podKind)) {
    if (takesRoom(pod)) Object.assign(wanted, termsOf(claimOf(pod)));
  }
  const gone = Object.keys(before).filter((id) => !Object.hasOwn(wanted, id));
  const kept = Object.fromEntries(gone.slice(forgottenMax).map((id) => [id, before[id]]));
  const value = encode({ ...kept, ...wanted });
  return [
    { op: "put", key: termsKey, expect: heldAt(view, termsKey), value },
    ...gone.slice(0, forgottenMax).flatMap((id): readonly Op[] => {
      const [key, expect] = [termKey(id), heldAt(view, termKey(id))];
      return expect === "absent" ? [] : [{ op: "delete", key, expect, last: encode({}) }];
    }),
  ];
}

const listedIn = (view: ClusterView): Listed =>
  (view.raw.get(termsKey)?.value as Listed | undefined) ?? {}; // Only `listTerms` writes it.
