import { pod } from "../../../libs/model/kinds/pod.ts";
import { isLive, isTerminal, readySinceMs } from "../../../libs/model/pod/state.ts";
import { controllerNamed } from "../owners.ts";
import { objectsIn } from "../state.ts";
import { type Act, type Chance, workload } from "../workload.ts";

/** Pods that users delete under their owners' hands. */
export const pods = workload({
  name: "pods",
  weight: 2,
  draw,
  *unfinished(state) {
    for (const one of objectsIn(state, pod)) {
      const { name, deletionTimestamp } = one.metadata;
      if (deletionTimestamp !== undefined) yield `pod ${name} does not end`;
      else if (isLive(one) && readySinceMs(one) === undefined) yield `pod ${name} is not ready`;
      else if (isTerminal(one) && controllerNamed(one, "Job") === undefined) {
        yield `pod ${name} has ended, and stays`;
      }
    }
  },
});

/** A Deployment's pods are left to its promises. */
const kinds = ["StatefulSet", "DaemonSet", "Job"];

function draw(chance: Chance): Act {
  const nth = chance.between(0, 99);
  return {
    what: `delete the ${nth}th pod`,
    async run(user) {
      const all = user
        .list(pod)
        .filter((one) => kinds.some((kind) => controllerNamed(one, kind) !== undefined))
        .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      const one = all[nth % Math.max(all.length, 1)];
      if (one !== undefined) await user.remove(pod, one.metadata);
    },
  };
}
