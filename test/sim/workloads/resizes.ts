import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { awaitsRoom } from "../../../libs/model/pod/allocated.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { compareQuantities } from "../../../libs/model/quantity.ts";
import { objectsIn } from "../state.ts";
import { type Act, type Chance, workload } from "../workload.ts";

/** Pods that are to have more or less than they were made for, where they are. */
export const resizes = workload({
  name: "resizes",
  weight: 3,
  draw,
  /** What has more than it needs leaves room for the others. */
  async calm(user) {
    for (const one of user.list(pod)) {
      if (compareQuantities(cpuOf(one), modest) > 0) await user.resize(one.metadata, modest);
    }
  },
  *unfinished(state) {
    for (const one of objectsIn(state, pod)) {
      if (isLive(one) && awaitsRoom(one)) yield `pod ${one.metadata.name} waits for room to grow`;
    }
  },
});

const modest = "100m";

const cpuOf = ({ spec }: Pod): string => spec.containers[0]?.resources.requests?.["cpu"] ?? "0";

function draw(chance: Chance): Act {
  const nth = chance.between(0, 99);
  const cpu = chance.pick(["50m", "300m", "800m", "1500m", "5"]);
  return {
    what: `give the ${nth}th pod ${cpu} of cpu`,
    async run(user) {
      const all = user
        .list(pod)
        .filter(isLive)
        .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      const one = all[nth % Math.max(all.length, 1)];
      if (one !== undefined) await user.resize(one.metadata, cpu);
    },
  };
}
