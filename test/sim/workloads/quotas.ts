import { resourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import { type Act, type Chance, namespaceOf, workload } from "../workload.ts";

/** Quotas of pods, which are made, changed and taken away. */
export const quotas = workload({
  name: "quotas",
  weight: 2,
  draw,
  async calm(user) {
    for (const { metadata } of user.list(resourceQuota)) await user.remove(resourceQuota, metadata);
  },
});

function draw(chance: Chance): Act {
  const of = { name: "few", namespace: namespaceOf(chance) };
  if (chance.is(0.2)) {
    return {
      what: `delete quota ${of.namespace}/${of.name}`,
      run: (user) => user.remove(resourceQuota, of),
    };
  }
  const hard = { pods: String(chance.between(2, 7)) };
  return {
    what: `quota ${of.namespace}/${of.name}: ${hard.pods} pods`,
    run: (user) =>
      user.apply(
        resourceQuota,
        { metadata: of, spec: { hard } } as { metadata: typeof of },
        (one) => ({
          ...one,
          spec: { ...one.spec, hard },
        }),
      ),
  };
}
