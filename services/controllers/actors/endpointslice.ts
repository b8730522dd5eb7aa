import type { ClusterView } from "../../../libs/cluster/view.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { service, type Service } from "../../../libs/model/kinds/service.ts";
import { matchesLabels } from "../../../libs/model/label-selector.ts";
import { actorName, controller, type Decision, type ObjectChange } from "../controller.ts";
import { type Slice, sliceWrites } from "./service/slice-writes.ts";
import { type Endpoint, portGroups, type PortGroup } from "./service/endpoints.ts";
import {
  headlessLabel,
  managedLabel,
  serviceLabel,
  sliceController,
} from "./service/slice-labels.ts";
import { ownedBy } from "./workload/claims.ts";
import { placed, type PlacedPod } from "./workload/pod-state.ts";
import { nameSuffix } from "./workload/stable-hash.ts";

/** As in Kubernetes: small enough that one pod's change is a small write. */
export const endpointsMax = 100;

export type World = {
  /** Those that the Service selects. */
  readonly pods: readonly PlacedPod[];
  /** The Service's, made by this controller. */
  readonly slices: readonly EndpointSlice[];
};

/**
 * Makes the Service's slices name its pods. Their names follow from the Service, so that the slices'
 * own expectations keep two turns apart (S2), and one pod's change is one key's write (S10).
 */
export function decide(self: Service, { pods, slices }: World): Decision<EndpointSlice, Service> {
  const ending = self.metadata.deletionTimestamp !== undefined;
  const wanted = ending || !selects(self) ? [] : wantedSlices(self, pods, slices);
  return {
    writes: sliceWrites(wanted, slices),
    status: self.status,
    wakeAt: undefined,
    events: [],
  };
}

const selects = ({ spec }: Service): boolean =>
  spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;

function wantedSlices(
  self: Service,
  pods: readonly PlacedPod[],
  slices: readonly EndpointSlice[],
): readonly Slice[] {
  const found = portGroups(self, pods);
  // A Service without endpoints keeps one empty slice: it says that there are none.
  const groups: readonly PortGroup[] = found.length > 0 ? found : [{ ports: [], endpoints: [] }];
  return groups.flatMap((group) => {
    const prefix = `${self.metadata.name.slice(0, 52)}-${nameSuffix(group.ports, 5)}`;
    return spread(group, prefix, slices).map(({ name, endpoints }) =>
      sliceOf(self, name, { ports: group.ports, endpoints }),
    );
  });
}

/** Endpoints stay in the slice that has them, as long as there is room; new ones fill up from the first. */
function spread(
  { endpoints }: PortGroup,
  prefix: string,
  slices: readonly EndpointSlice[],
): readonly { readonly name: string; readonly endpoints: readonly Endpoint[] }[] {
  const count = Math.max(1, Math.ceil(endpoints.length / endpointsMax));
  const bins = Array.from({ length: count }, (_, nth) => ({
    name: `${prefix}-${nth}`,
    endpoints: [] as Endpoint[],
  }));
  const homes = new Map<string, number>();
  for (const [nth, { name }] of bins.entries()) {
    const slice = slices.find(({ metadata }) => metadata.name === name);
    for (const endpoint of slice?.endpoints ?? []) homes.set(identityOf(endpoint), nth);
  }
  const settled = endpoints.filter((endpoint) => homes.has(identityOf(endpoint)));
  for (const endpoint of settled)
    bins[homes.get(identityOf(endpoint)) ?? 0]?.endpoints.push(endpoint);
  for (const endpoint of endpoints) {
    if (homes.has(identityOf(endpoint))) continue;
    bins.find((bin) => bin.endpoints.length < endpointsMax)?.endpoints.push(endpoint);
  }
  return bins.map(({ name, endpoints: all }) => ({
    name,
    endpoints: all.toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1)),
  }));
}

const identityOf = ({ targetRef, addresses }: Endpoint): string =>
  targetRef?.uid ?? addresses[0] ?? "";

function sliceOf(self: Service, name: string, { ports, endpoints }: PortGroup): Slice {
  const headless = self.spec.clusterIP === "None";
  const metadata = {
    name,
    namespace: self.metadata.namespace,
    generateName: `${self.metadata.name}-`,
    labels: {
      ...self.metadata.labels,
      [serviceLabel]: self.metadata.name,
      [managedLabel]: sliceController,
      ...(headless && { [headlessLabel]: "" }),
    },
    ownerReferences: [ownedBy(self)],
  };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata,
    addressType: "IPv4",
    ports: [...ports],
    endpoints: [...endpoints],
  };
}

/** A pod concerns the Services that select it, or did; a node's readiness, those of its pods. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object?.apiVersion !== "v1") return;
  if (object.kind === "Pod") {
    for (const side of [before, after]) {
      if (side !== undefined) yield* selecting(view, side.metadata);
    }
  } else if (object.kind === "Node") {
    for (const { metadata } of view.list(pod, { node: object.metadata.name ?? "" })) {
      yield* selecting(view, metadata);
    }
  }
}

type Labelled = {
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
};

function* selecting(
  view: ClusterView,
  { namespace = "", labels = {} }: Labelled,
): Iterable<string> {
  for (const one of view.list(service, { namespace })) {
    if (selects(one) && matchesLabels(one.spec.selector ?? {}, labels))
      yield actorName(one.metadata);
  }
}

export const endpointSlices = controller({
  kind: service,
  owns: [endpointSlice],
  derivedNames: true,
  read(view, self): World {
    const { namespace, uid } = self.metadata;
    const matchLabels = self.spec.selector ?? {};
    const pods = selects(self) ? view.list(pod, { namespace, selector: { matchLabels } }) : [];
    const slices = view
      .list(endpointSlice, { namespace, ownerUid: uid })
      .filter(({ metadata }) => metadata.labels?.[managedLabel] === sliceController);
    return { pods: placed(view, pods), slices };
  },
  decide,
  concerns,
});
