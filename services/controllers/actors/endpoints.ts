import { dequal } from "dequal";
import {
  type EndpointAddress,
  endpoints,
  type Endpoints,
  type EndpointSubset,
} from "../../../libs/model/kinds/endpoints.ts";
import {
  type Endpoint,
  endpointSlice,
  type EndpointSlice,
} from "../../../libs/model/kinds/endpointslice.ts";
import { service, type Service } from "../../../libs/model/kinds/service.ts";
import { actorName, controller, create, type Decision, update } from "../controller.ts";
import { managedLabel, serviceLabel, sliceController } from "./service/slice-labels.ts";
import { ownedBy } from "./workload/claims.ts";

/** As Kubernetes: of more addresses the object says that it is cut off. */
export const addressesMax = 1_000;
const capacityAnnotation = "endpoints.kubernetes.io/over-capacity";

export type World = {
  readonly held: Endpoints | undefined;
  /** The Service's, made of the pods that it selects. */
  readonly slices: readonly EndpointSlice[];
};

/** Says of a Service that selects pods in the old form what its slices say. */
export function decide(self: Service, { held, slices }: World): Decision<Endpoints, Service> {
  const rest = { status: self.status, wakeAt: undefined, events: [] };
  const selects = Object.keys(self.spec.selector ?? {}).length > 0;
  const ending = self.metadata.deletionTimestamp !== undefined;
  if (!selects || self.spec.type === "ExternalName" || ending) return { ...rest, writes: [] };
  const { subsets, isCut } = subsetsOf(slices);
  const labels = { ...self.metadata.labels };
  const annotations = isCut ? { [capacityAnnotation]: "truncated" } : undefined;
  if (held === undefined) {
    const { name, namespace } = self.metadata;
    const metadata = {
      name,
      namespace,
      labels,
      ...(annotations !== undefined && { annotations }),
      ownerReferences: [ownedBy(self)],
    };
    const born = { apiVersion: "v1", kind: "Endpoints", metadata, subsets };
    return { ...rest, writes: [create(born)] };
  }
  const { annotations: had = {}, ...metadata } = held.metadata;
  const { [capacityAnnotation]: _cut, ...kept } = had;
  const all = { ...kept, ...annotations };
  const next: Endpoints = {
    ...held,
    metadata: {
      ...metadata,
      labels,
      ...(Object.keys(all).length > 0 && { annotations: all }),
    },
    subsets: [...subsets],
  };
  return { ...rest, writes: dequal(held, next) ? [] : [update(next)] };
}

/** A subset for each list of ports; what terminates is in none. */
function subsetsOf(slices: readonly EndpointSlice[]): {
  readonly subsets: readonly EndpointSubset[];
  readonly isCut: boolean;
} {
  const groups = new Map<string, { ports: EndpointSlice["ports"]; endpoints: Endpoint[] }>();
  let left = addressesMax;
  let isCut = false;
  for (const { ports, endpoints: all } of slices.toSorted(byName)) {
    const staying = all.filter(({ conditions }) => conditions.terminating !== true);
    const taken = staying.slice(0, left);
    left -= taken.length;
    isCut ||= taken.length < staying.length;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(...taken);
    groups.set(key, group);
  }
  const subsets = [...groups.values()].flatMap(({ ports, endpoints: all }): EndpointSubset[] => {
    const [addresses, notReadyAddresses] = [true, false].map((ready) =>
      all.filter(({ conditions }) => (conditions.ready === true) === ready).flatMap(addressesOf),
    );
    if (all.length === 0) return [];
    return [
      {
        ...(addresses !== undefined && addresses.length > 0 && { addresses }),
        ...(notReadyAddresses !== undefined &&
          notReadyAddresses.length > 0 && { notReadyAddresses }),
        ports: ports.flatMap(({ name, port, ...rest }) =>
          port === undefined ? [] : [{ ...(name !== "" && { name }), port, ...rest }],
        ),
      },
    ];
  });
  return { subsets, isCut };
}

const addressesOf = ({ addresses, hostname, nodeName, targetRef }: Endpoint): EndpointAddress[] =>
  addresses.map((ip) => ({
    ip,
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  }));

const byName = (a: EndpointSlice, b: EndpointSlice) => (a.metadata.name < b.metadata.name ? -1 : 1);

export const serviceEndpoints = controller({
  kind: service,
  name: "services-endpoints",
  owns: [endpoints],
  derivedNames: true,
  read(view, { metadata: { namespace, name, uid } }): World {
    const slices = view
      .list(endpointSlice, { namespace, ownerUid: uid })
      .filter(({ metadata }) => metadata.labels?.[managedLabel] === sliceController);
    return { held: view.get(endpoints, namespace, name), slices };
  },
  decide,
  /** What its slices say; and whatever somebody else makes of the object. */
  *concerns({ before, after }) {
    const object = after ?? before;
    const { namespace, labels } = object?.metadata ?? {};
    if (object?.kind === "EndpointSlice")
      yield actorName({ namespace, name: labels?.[serviceLabel] });
    if (object?.kind === "Endpoints") yield actorName(object.metadata);
  },
});
