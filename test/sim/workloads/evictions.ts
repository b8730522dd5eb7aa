import { pod } from "../../../libs/model/kinds/pod.ts";
import { podDisruptionBudget } from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { type Act, type Chance, namespaceOf, workload } from "../workload.ts";

/** Budgets, and evictions that they permit or not. */
export const evictions = workload({
  name: "evictions",
  weight: 5,
  draw,
  async calm(user) {
    for (const { metadata } of user.list(podDisruptionBudget)) {
      await user.remove(podDisruptionBudget, metadata);
    }
  },
});

function draw(chance: Chance): Act {
  const app = chance.pick(["web", "web", "web", "shop"]);
  const of = { name: app, namespace: namespaceOf(chance) };
  const minAvailable = chance.between(0, 2);
  const spec = { minAvailable, selector: { matchLabels: { app } } };
  const count = chance.between(1, 3);
  return {
    what: `budget ${of.namespace}/${app}: ${minAvailable} available; evict ${count}`,
    async run(user) {
      // What is evicted first is refused where the budget is new, and not counted yet.
      await user.apply(
        podDisruptionBudget,
        { metadata: of, spec } as { metadata: typeof of },
        (one) => one,
      );
      const all = user
        .list(pod)
        .filter(({ metadata }) => metadata.labels?.["app"] === app)
        .filter(({ metadata }) => metadata.namespace === of.namespace)
        .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      // At once: each may be the last that the budget allows.
      await Promise.all(all.slice(0, count).map(({ metadata }) => user.evict(metadata)));
    },
  };
}
