import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { service } from "../../../libs/model/kinds/service.ts";
import { objectsIn } from "../state.ts";
import {
  type Act,
  type Chance,
  namespaceOf,
  templateOf,
  withImage,
  workload,
} from "../workload.ts";

/** Deployments with a Service each: created, scaled, updated, rolled back, deleted. */
export const deployments = workload({
  name: "deployments",
  weight: 10,
  draw,
  async calm(user) {
    for (const { metadata, spec } of user.list(deployment)) {
      if (spec.replicas <= 2) continue;
      await user.change(deployment, metadata, (one) => ({
        ...one,
        spec: { ...one.spec, replicas: 2 },
      }));
    }
  },
  *unfinished(state) {
    for (const { metadata, spec, status } of objectsIn(state, deployment)) {
      const done =
        status?.observedGeneration === metadata.generation &&
        (status?.replicas ?? 0) === spec.replicas &&
        (status?.updatedReplicas ?? 0) === spec.replicas &&
        (status?.availableReplicas ?? 0) === spec.replicas;
      if (!done) yield `deployment ${metadata.name} is not complete: ${JSON.stringify(status)}`;
    }
  },
});

function draw(chance: Chance): Act {
  const name = chance.pick(["web", "web", "shop"]);
  const of = { name, namespace: namespaceOf(chance) };
  const replicas = chance.between(1, 5);
  const image = `app:${chance.between(1, 3)}`;
  const strategy = strategyOf(chance);
  const labels = { app: name };
  const manifest = {
    metadata: of,
    spec: {
      replicas,
      strategy,
      selector: { matchLabels: labels },
      template: templateOf(name, { image, cpu: "400m" }),
    },
  };
  if (chance.is(0.08)) {
    const propagationPolicy = chance.pick(["Background", "Foreground"]);
    return {
      what: `delete deployment ${name}, ${propagationPolicy}`,
      run: (user) => user.remove(deployment, of, { propagationPolicy }),
    };
  }
  const [scales, updates] = chance.pick([
    [true, false],
    [false, true],
    [true, true],
  ]);
  const replaces = chance.is(0.2);
  return {
    what: `${replaces ? "another " : ""}deployment ${of.namespace}/${name}: ${replicas} of ${image}, ${JSON.stringify(strategy)}`,
    async run(user) {
      // As `kubectl replace --force`: its name comes back before those that it owned are gone.
      if (replaces) await user.remove(deployment, of, { propagationPolicy: "Background" });
      await user.apply(deployment, manifest, (one) => {
        const scaled = scales ? { ...one, spec: { ...one.spec, replicas } } : one;
        return updates ? withImage(scaled, image) : scaled;
      });
      await user.create(service, {
        metadata: of,
        spec: { selector: labels, ports: [{ port: 80 }] },
      } as { metadata: typeof of });
    },
  };
}

function strategyOf(chance: Chance) {
  if (chance.is(0.1)) return { type: "Recreate" };
  const maxSurge = chance.pick([0, 1, 1, 2, "50%"]);
  const maxUnavailable = maxSurge === 0 ? 1 : chance.pick([0, 0, 1, "25%"]);
  return { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
}
