import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { home } from "../user.ts";
import { type Act, type Chance, templateOf, withImage, workload } from "../workload.ts";

const name = "even";
const of = { name, namespace: home };

/** A Deployment whose pods are in one zone no more than one above the other. They ask for next to nothing. */
export const spread = workload({
  name: "spread",
  weight: 3,
  draw,
  async calm(user) {
    await user.change(deployment, of, (one) => ({ ...one, spec: { ...one.spec, replicas: 2 } }));
  },
});

function draw(chance: Chance): Act {
  const replicas = chance.between(1, 5);
  const image = `app:${chance.between(1, 2)}`;
  const template = templateOf(name, { image, cpu: "1m" });
  const constraint = {
    topologyKey: "topology.kubernetes.io/zone",
    maxSkew: 1,
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: { app: name } },
  };
  const manifest = {
    metadata: of,
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        ...template,
        spec: { ...template.spec, topologySpreadConstraints: [constraint] },
      },
    },
  };
  if (chance.is(0.15)) {
    return { what: `delete deployment ${name}`, run: (user) => user.remove(deployment, of) };
  }
  return {
    what: `deployment ${name}: ${replicas} of ${image}, spread over the zones`,
    run: (user) =>
      user.apply(deployment, manifest, (one) =>
        withImage({ ...one, spec: { ...one.spec, replicas } }, image),
      ),
  };
}
