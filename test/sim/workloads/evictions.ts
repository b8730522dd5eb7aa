import { pod } from "../../../libs/model/kinds/pod.ts";
import { podDisruptionBudget } from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { type Act, type Chance, namespaceOf, workload } from "../workload.ts";

/** Budgets, and evictions that they permit or not. */
export const evictions = workload({
  name: "evictions",
  weight: 3,
  draw,
  async calm(user) {
    for (const { metadata } of user.list(podDisruptionBudget)) {
      await user.remove(podDisruptionBudget, metadata);
    }
  },
});

function draw(chance: Chance): Act {
  const app = chance.pick(["web", "web", "shop"]);
  if (chance.is(0.4)) {
    const of = { name: app, namespace: namespaceOf(chance) };
    const minAvailable = chance.between(0, 3);
    const spec = { minAvailable, selector: { matchLabels: { app } } };
    return {
      what: `budget ${of.namespace}/${of.name}: ${minAvailable} available`,
      run: (user) =>
        user.apply(
          podDisruptionBudget,
          { metadata: of, spec } as { metadata: typeof of },
          (one) => ({
            ...one,
            spec: { ...one.spec, minAvailable },
          }),
        ),
    };
  }
  const count = chance.between(1, 3);
  return {
    what: `evict ${count} of ${app}`,
    async run(user) {
      const all = user
        .list(pod)
        .filter(({ metadata }) => metadata.labels?.["app"] === app)
        .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      // At once: each may be the last that the budget allows.
      await Promise.all(all.slice(0, count).map(({ metadata }) => user.evict(metadata)));
    },
  };
}
