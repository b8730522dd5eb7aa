import { job } from "../../../libs/model/kinds/job.ts";
import { objectsIn } from "../state.ts";
import { type Act, type Chance, namespaceOf, templateOf, workload } from "../workload.ts";

/** Jobs, with and without indexes; some of their pods fail. */
export const jobs = workload({
  name: "jobs",
  weight: 3,
  draw,
  *unfinished(state) {
    for (const { metadata, status } of objectsIn(state, job)) {
      const ended = (status?.conditions ?? []).some(
        ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
      );
      if (!ended) yield `job ${metadata.name} has not ended: ${JSON.stringify(status)}`;
    }
  },
});

function draw(chance: Chance): Act {
  const name = `sum-${chance.between(1, 4)}`;
  const metadata = { name, namespace: namespaceOf(chance) };
  if (chance.is(0.12)) {
    const propagationPolicy = chance.pick(["Background", "Foreground"]);
    return {
      what: `delete job ${name}, ${propagationPolicy}`,
      run: (user) => user.remove(job, metadata, { propagationPolicy }),
    };
  }
  const completions = chance.between(1, 4);
  const manifest = {
    metadata,
    spec: {
      completions,
      parallelism: chance.between(1, 3),
      completionMode: chance.pick(["NonIndexed", "Indexed"]),
      backoffLimit: 2,
      template: templateOf(name, { image: "sum:1", cpu: "100m", restartPolicy: "Never" }),
    },
  };
  return { what: `job ${name} of ${completions}`, run: (user) => user.create(job, manifest) };
}
