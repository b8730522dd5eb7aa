import { pod } from "../../../libs/model/kinds/pod.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { controllerNamed } from "../owners.ts";
import { objectsIn } from "../state.ts";
import {
  type Act,
  type Chance,
  namespaceOf,
  templateOf,
  withImage,
  workload,
} from "../workload.ts";

/** StatefulSets, ordered and parallel, with volumes and without: created, scaled, updated, deleted. */
export const statefulSets = workload({
  name: "statefulsets",
  weight: 3,
  draw,
  *unfinished(state) {
    for (const { metadata, spec, status } of objectsIn(state, statefulSet)) {
      const done =
        status?.observedGeneration === metadata.generation &&
        (status?.replicas ?? 0) === spec.replicas &&
        (status?.updatedReplicas ?? 0) === spec.replicas &&
        (status?.readyReplicas ?? 0) === spec.replicas;
      if (!done) yield `statefulset ${metadata.name} is not complete: ${JSON.stringify(status)}`;
    }
  },
});

/** Each pod has a volume, until there are fewer pods. */
const storage = {
  volumeClaimTemplates: [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ],
  persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" },
};

function draw(chance: Chance): Act {
  const name = chance.pick(["db", "log"]);
  const metadata = { name, namespace: namespaceOf(chance) };
  const replicas = chance.between(1, 3);
  const image = `db:${chance.between(1, 3)}`;
  const podManagementPolicy = chance.pick(["OrderedReady", "Parallel"]);
  if (chance.is(0.1)) {
    return {
      what: `delete statefulset ${name}`,
      run: (user) => user.remove(statefulSet, metadata),
    };
  }
  if (chance.is(0.35)) return deletesPodsOf(metadata);
  const updates = chance.is(0.4);
  const manifest = {
    metadata,
    spec: {
      replicas,
      podManagementPolicy,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: templateOf(name, { image, cpu: "300m" }),
      ...(name === "db" && storage),
    },
  };
  return {
    what: `statefulset ${name}: ${replicas} of ${image}, ${podManagementPolicy}`,
    run: (user) =>
      user.apply(statefulSet, manifest, (one) => {
        const scaled = { ...one, spec: { ...one.spec, replicas } };
        return updates ? withImage(scaled, image) : scaled;
      }),
  };
}

/** Their names are used again at once, and what is still told of the former ones comes late. */
const deletesPodsOf = (of: { readonly name: string; readonly namespace: string }): Act => ({
  what: `delete the pods of statefulset ${of.name}`,
  async run(user) {
    const own = user
      .list(pod)
      .filter((one) => controllerNamed(one, "StatefulSet") === of.name)
      .filter(({ metadata }) => metadata.namespace === of.namespace);
    await Promise.all(own.map(({ metadata }) => user.remove(pod, metadata)));
  },
});
