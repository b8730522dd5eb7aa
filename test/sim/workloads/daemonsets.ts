import { daemonSet } from "../../../libs/model/kinds/daemonset.ts";
import { objectsIn } from "../state.ts";
import { type Act, type Chance, templateOf, withImage, workload } from "../workload.ts";

/** A DaemonSet: created, updated, deleted. */
export const daemonSets = workload({
  name: "daemonsets",
  weight: 1,
  draw,
  *unfinished(state) {
    for (const { metadata, status } of objectsIn(state, daemonSet)) {
      const wanted = status?.desiredNumberScheduled ?? 0;
      const done =
        status?.observedGeneration === metadata.generation &&
        wanted > 0 &&
        (status?.updatedNumberScheduled ?? 0) === wanted &&
        (status?.numberAvailable ?? 0) === wanted;
      if (!done) yield `daemonset ${metadata.name} is not complete: ${JSON.stringify(status)}`;
    }
  },
});

function draw(chance: Chance): Act {
  const metadata = { name: "watch", namespace: "default" };
  if (chance.is(0.15)) {
    return { what: "delete daemonset watch", run: (user) => user.remove(daemonSet, metadata) };
  }
  const image = `watch:${chance.between(1, 3)}`;
  const manifest = {
    metadata,
    spec: {
      selector: { matchLabels: { app: "watch" } },
      template: templateOf("watch", { image, cpu: "50m" }),
    },
  };
  return {
    what: `daemonset watch of ${image}`,
    run: (user) => user.apply(daemonSet, manifest, (one) => withImage(one, image)),
  };
}
