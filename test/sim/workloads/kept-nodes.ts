import { lease, nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { readyOf } from "../ready.ts";
import { objectsIn } from "../state.ts";
import type { User } from "../user.ts";
import { type Act, type Chance, keptNodes, kubeletReady, workload } from "../workload.ts";

/** Nodes without an agent, kept by a client that renews a Lease or writes the status, and that stops. */
export const nodesKeptByApi = workload({
  name: "kept-nodes",
  weight: 1,
  draw,
  async calm(user) {
    for (const name of keptNodes) {
      await user.remove(node, { name });
      await user.remove(lease, { name, namespace: nodeLeaseNamespace });
    }
  },
  *unfinished(state) {
    const names: readonly string[] = keptNodes;
    for (const { metadata } of objectsIn(state, node)) {
      if (names.includes(metadata.name)) yield `kept node ${metadata.name} is still there`;
    }
  },
});

const renewEveryMs = 10_000;
/** Longer than the controllers' grace, and with a renewal before it not longer than an act may take. */
const silentMs = 42_000;

function draw(chance: Chance): Act {
  const name = chance.pick(keptNodes);
  if (chance.is(0.2)) {
    return { what: `delete kept node ${name}`, run: (user) => user.remove(node, { name }) };
  }
  const renewals = chance.between(0, 3);
  const isByLease = chance.is(0.6);
  const stops = renewals <= 1 && chance.is(0.6);
  return {
    what: `keep node ${name}: ${renewals} renewals by ${isByLease ? "Lease" : "status"}${stops ? ", then silence" : ""}`,
    async run(user) {
      // Nobody runs what would be bound there.
      const taints = [{ key: "sim", value: "kept", effect: "NoSchedule" }];
      await user.create(node, { metadata: { name }, spec: { taints } } as Manifest);
      await saysReady(user, name);
      for (let nth = 0; nth < renewals; nth += 1) {
        await user.sleep(renewEveryMs);
        await (isByLease ? renews(user, name) : saysReady(user, name));
      }
      if (stops) await user.sleep(silentMs);
    },
  };
}

type Manifest = { readonly metadata: { readonly name: string } };

async function renews(user: User, name: string): Promise<void> {
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: new Date(user.now()).toISOString().replace("Z", "000Z"),
  };
  const manifest = { metadata: { name, namespace: nodeLeaseNamespace }, spec };
  await user.apply(lease, manifest, (one) => ({ ...one, spec: { ...one.spec, ...spec } }));
}

const saysReady = (user: User, name: string) =>
  user.changeStatus(node, { name }, (one) => readyAt(one, timeOf(user.now())));

function readyAt(one: Node, lastHeartbeatTime: string): object {
  const { status } = one;
  const was = readyOf(one);
  const others = (status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const lastTransitionTime = was?.status === "True" ? was.lastTransitionTime : lastHeartbeatTime;
  const said = { type: "Ready", status: "True", reason: kubeletReady, message: "" };
  return { ...status, conditions: [...others, { ...said, lastHeartbeatTime, lastTransitionTime }] };
}
