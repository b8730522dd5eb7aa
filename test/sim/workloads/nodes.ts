import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { readyOf } from "../ready.ts";
import { objectsIn } from "../state.ts";
import type { User } from "../user.ts";
import { type Act, type Chance, workload } from "../workload.ts";
import { scaleOut } from "../scale-out.ts";

/** Nodes that are cordoned, drained and deleted. */
export const nodes = workload({
  name: "nodes",
  weight: 3,
  draw,
  async calm(user) {
    for (const { metadata } of user.list(node)) await cordon(user, metadata.name, false);
  },
  *unfinished(state) {
    for (const one of objectsIn(state, node)) {
      const { metadata, spec } = one;
      if (readyOf(one)?.status !== "True") yield `node ${metadata.name} is not ready`;
      if ((spec.taints ?? []).length > 0) yield `node ${metadata.name} is tainted`;
    }
  },
});

const cordon = (user: User, name: string, unschedulable: boolean) =>
  user.change(node, { name }, (one) => ({ ...one, spec: { ...one.spec, unschedulable } }));

/** What a scheduler that has not seen the cordon yet may still bind there. */
function cordonsWhilePodsCome(chance: Chance, name: string): Act {
  const afterMs = chance.between(0, 60);
  return {
    what: `scale out, and cordon ${name} ${afterMs} ms later`,
    async run(user) {
      const scaled = scaleOut(user);
      await user.sleep(afterMs);
      await Promise.all([scaled, cordon(user, name, true)]);
    },
  };
}

function draw(chance: Chance): Act {
  const name = `n${chance.between(1, 3)}`;
  const drawn = chance.between(1, 10);
  if (drawn <= 2) {
    return { what: `delete node ${name}`, run: (user) => user.remove(node, { name }) };
  }
  if (drawn <= 5) return { what: `uncordon ${name}`, run: (user) => cordon(user, name, false) };
  if (drawn <= 7) return { what: `cordon ${name}`, run: (user) => cordon(user, name, true) };
  if (drawn <= 8) return cordonsWhilePodsCome(chance, name);
  return {
    what: `drain ${name}`,
    async run(user) {
      await cordon(user, name, true);
      const there = user.list(pod).filter(({ spec }) => spec.nodeName === name);
      for (const { metadata } of there) await user.remove(pod, metadata);
    },
  };
}
