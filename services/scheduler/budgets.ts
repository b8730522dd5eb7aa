import { budgetsCounting, disruptionsAllowed } from "../../libs/admission/evict.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { podDisruptionBudget } from "../../libs/model/kinds/poddisruptionbudget.ts";
import type { Claim } from "./claim.ts";
import { type Budgets, noBudgets } from "./decisions/preempt.ts";

/** The disruption budgets as of the view's cut. */
export function budgetsAt(view: ClusterView): Budgets {
  const all = view.list(podDisruptionBudget);
  if (all.length === 0) return noBudgets;
  const allowed = new Map(all.map((one) => [idOf(one), disruptionsAllowed(one)]));
  const known = new Map<string, readonly string[]>();
  return {
    of({ address, namespace, name }: Claim) {
      const found = known.get(address);
      if (found !== undefined) return found;
      const pod = view.get(podKind, namespace, name);
      const ids = pod === undefined ? [] : budgetsCounting(view, pod).map(idOf);
      known.set(address, ids);
      return ids;
    },
    allowed: (budget) => allowed.get(budget) ?? 0,
  };
}

const idOf = ({
  metadata: { namespace, name },
}: {
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string };
}): string => `${namespace}/${name}`;
