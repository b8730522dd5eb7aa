import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { podDisruptionBudget } from "../../../libs/model/kinds/poddisruptionbudget.ts";
import { priorityClass } from "../../../libs/model/kinds/priorityclass.ts";
import { scaleOut } from "../scale-out.ts";
import { home } from "../user.ts";
import { type Act, type Chance, templateOf, withImage, workload } from "../workload.ts";

const classes = [
  { name: "urgent", value: 1_000 },
  { name: "pressing", value: 500 },
] as const;

/** Deployments that displace the others', and one the other's; in the end they leave the room to them. */
export const priorities = workload({
  name: "priorities",
  weight: 4,
  draw,
  async calm(user) {
    for (const { name } of classes) await user.remove(deployment, { name, namespace: home });
  },
});

function draw(chance: Chance): Act {
  const { name, value } = chance.pick(classes);
  const of = { name, namespace: home };
  const ofClass = { metadata: { name }, value };
  const replicas = chance.between(1, 3);
  const image = `app:${chance.between(1, 2)}`;
  const template = templateOf(name, { image, cpu: "900m" });
  const manifest = {
    metadata: of,
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { ...template, spec: { ...template.spec, priorityClassName: name } },
    },
  };
  if (chance.is(0.25)) {
    return { what: `delete deployment ${name}`, run: (user) => user.remove(deployment, of) };
  }
  const minAvailable = chance.between(0, 1);
  const budget = { metadata: of, spec: { minAvailable, selector: { matchLabels: { app: name } } } };
  const othersCome = chance.is(0.5);
  return {
    what: `deployment ${name}: ${replicas} of ${image}, of priority ${value}, ${minAvailable} available${othersCome ? "; scale out" : ""}`,
    async run(user) {
      await user.create(priorityClass, ofClass);
      await user.create(podDisruptionBudget, budget);
      const comes = user.apply(deployment, manifest, (one) =>
        withImage({ ...one, spec: { ...one.spec, replicas } }, image),
      );
      // What comes meanwhile may take what is free beside the room that is being made.
      await Promise.all([comes, othersCome && scaleOut(user)]);
    },
  };
}
