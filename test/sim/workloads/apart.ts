import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { objectsIn } from "../state.ts";
import { home } from "../user.ts";
import { type Act, type Chance, templateOf, withImage, workload } from "../workload.ts";

const names = ["apart", "aside"] as const;
type Name = (typeof names)[number];
const isOurs = (name: string) => names.some((one) => one === name);
const apartFrom = (app: Name) => ({
  topologyKey: "topology.kubernetes.io/zone",
  labelSelector: { matchLabels: { app } },
});

/**
 * Deployments whose pods have a zone for themselves: no two of one, and none of one beside any of the
 * other, which only one of them says. They ask for next to nothing, so that others leave them room.
 */
export const apart = workload({
  name: "apart",
  weight: 3,
  draw,
  async calm(user) {
    for (const { metadata, spec } of user.list(deployment)) {
      if (!isOurs(metadata.name) || spec.replicas <= 1) continue;
      await user.change(deployment, metadata, (one) => ({
        ...one,
        spec: { ...one.spec, replicas: 1 },
      }));
    }
  },
  *unfinished(state) {
    for (const { metadata, status } of objectsIn(state, deployment)) {
      if (isOurs(metadata.name) && (status?.availableReplicas ?? 0) === 0)
        yield `deployment ${metadata.name} has no zone of its own`;
    }
  },
});

function draw(chance: Chance): Act {
  const name = chance.pick(names);
  const of = { name, namespace: home };
  const replicas = chance.between(1, 3);
  const image = `app:${chance.between(1, 2)}`;
  const template = templateOf(name, { image, cpu: "1m" });
  const terms = name === "apart" ? names.map(apartFrom) : [apartFrom("aside")];
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
  const manifest = {
    metadata: of,
    spec: {
      replicas,
      // A pod that is made before another goes may have no zone to go to.
      strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      selector: { matchLabels: { app: name } },
      template: { ...template, spec: { ...template.spec, affinity } },
    },
  };
  if (chance.is(0.15)) {
    return { what: `delete deployment ${name}`, run: (user) => user.remove(deployment, of) };
  }
  return {
    what: `deployment ${name}: ${replicas} of ${image}, each in a zone of its own`,
    run: (user) =>
      user.apply(deployment, manifest, (one) =>
        withImage({ ...one, spec: { ...one.spec, replicas } }, image),
      ),
  };
}
