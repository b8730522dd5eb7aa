import { dequal } from "dequal";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { service, type Service } from "../../../libs/model/kinds/service.ts";
import { actorName, controller, type Decision, type ObjectChange } from "../controller.ts";

export type World = { readonly nodes: readonly Node[] };

/** A Service of type LoadBalancer is reached at every ready node's address. */
export function decide(self: Service, { nodes }: World): Decision<never, Service> {
  const ingress = self.spec.type === "LoadBalancer" ? addressesOf(nodes).map((ip) => ({ ip })) : [];
  const had = self.status?.loadBalancer?.ingress ?? [];
  const same = dequal(
    had.map(({ ip }) => ({ ip })),
    ingress,
  );
  const loadBalancer = ingress.length > 0 ? { ingress } : {};
  const status = same ? self.status : ({ ...self.status, loadBalancer } as Service["status"]);
  return { writes: [], status, wakeAt: undefined, events: [] };
}

function addressesOf(nodes: readonly Node[]): readonly string[] {
  const ready = nodes.filter(({ status }) =>
    status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True"),
  );
  const all = ready.flatMap(({ status }) =>
    (status?.addresses ?? [])
      .filter(({ type }) => type === "InternalIP")
      .map(({ address }) => address),
  );
  return [...new Set(all)].toSorted();
}

function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion !== "v1" || object.kind !== "Node") return;
  for (const { spec, metadata } of view.list(service)) {
    if (spec.type === "LoadBalancer") yield actorName(metadata);
  }
}

export const loadBalancers = controller({
  kind: service,
  name: "loadbalancers",
  owns: [],
  read: (view, self): World => ({
    nodes: self.spec.type === "LoadBalancer" ? view.list(node) : [],
  }),
  decide,
  concerns,
});
