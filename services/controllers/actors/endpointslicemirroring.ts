import type { ClusterView } from "../../../libs/cluster/view.ts";
import {
  type EndpointAddress,
  endpoints,
  type Endpoints,
  type EndpointSubset,
} from "../../../libs/model/kinds/endpoints.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import { service, type Service } from "../../../libs/model/kinds/service.ts";
import { actorName, controller, type Decision } from "../controller.ts";
import { endpointsMax } from "./endpointslice.ts";
import {
  managedLabel,
  mirroringController,
  serviceLabel,
  skipMirrorLabel,
} from "./service/slice-labels.ts";
import { type Slice, sliceWrites } from "./service/slice-writes.ts";
import { ownedBy } from "./workload/claims.ts";
import { nameSuffix } from "./workload/stable-hash.ts";

/** As Kubernetes: more of a subset are not mirrored. */
export const addressesMax = 1_000;
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";

export type World = {
  readonly service: Service | undefined;
  /** Those that mirror these Endpoints. */
  readonly slices: readonly EndpointSlice[];
};

/**
 * Mirrors Endpoints that somebody wrote for a Service without a selector, so that its traffic goes
 * there: lbs read slices alone.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#mirroring
 */
export function decide(
  self: Endpoints,
  { service: home, slices }: World,
): Decision<EndpointSlice, Endpoints> {
  const wanted = isMirrored(self, home) ? (self.subsets ?? []).flatMap(slicesOf(self)) : [];
  return {
    writes: sliceWrites(once(wanted), slices),
    status: undefined,
    wakeAt: undefined,
    events: [],
  };
}

function isMirrored({ metadata }: Endpoints, home: Service | undefined): boolean {
  const { deletionTimestamp, labels, annotations } = metadata;
  return (
    deletionTimestamp === undefined &&
    labels?.[skipMirrorLabel] !== "true" &&
    annotations?.[leaderAnnotation] === undefined &&
    home !== undefined &&
    home.spec.type !== "ExternalName" &&
    Object.keys(home.spec.selector ?? {}).length === 0
  );
}

/** A subset's slices: its addresses by their family, at most a hundred each. */
const slicesOf =
  (self: Endpoints) =>
  (subset: EndpointSubset): readonly Slice[] => {
    const all = [
      ...(subset.addresses ?? []).map((one) => endpointOf(one, true)),
      ...(subset.notReadyAddresses ?? []).map((one) => endpointOf(one, false)),
    ].slice(0, addressesMax);
    const ports = (subset.ports ?? []).map(({ name = "", ...port }) => ({ name, ...port }));
    return (["IPv4", "IPv6"] as const).flatMap((addressType) => {
      const family = all.filter(
        ({ addresses: [ip = ""] }) => ip.includes(":") === (addressType === "IPv6"),
      );
      const pages = Math.ceil(family.length / endpointsMax);
      const stem = `${self.metadata.name.slice(0, 50)}-m${nameSuffix([addressType, ports], 5)}`;
      return Array.from({ length: pages }, (_, nth): Slice => ({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: metadataOf(self, `${stem}-${nth}`),
        addressType,
        ports,
        endpoints: family.slice(nth * endpointsMax, (nth + 1) * endpointsMax),
      }));
    });
  };

function metadataOf(self: Endpoints, name: string) {
  const { namespace, labels } = self.metadata;
  return {
    name,
    namespace,
    generateName: `${self.metadata.name}-`,
    labels: {
      ...labels,
      [serviceLabel]: self.metadata.name,
      [managedLabel]: mirroringController,
    },
    ownerReferences: [ownedBy(self)],
  };
}

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean) => ({
  addresses: [ip],
  conditions: { ready, serving: ready, terminating: false },
  ...(hostname !== undefined && { hostname }),
  ...(nodeName !== undefined && { nodeName }),
  ...(targetRef !== undefined && { targetRef }),
});

/** Two subsets with the same ports are one, as in Kubernetes. */
function once(slices: readonly Slice[]): readonly Slice[] {
  const byName = new Map<string, Slice>();
  for (const slice of slices) {
    const known = byName.get(slice.metadata.name);
    const merged = [...(known?.endpoints ?? []), ...slice.endpoints].slice(0, endpointsMax);
    byName.set(slice.metadata.name, { ...slice, endpoints: merged });
  }
  return [...byName.values()];
}

export const mirroredEndpoints = controller({
  kind: endpoints,
  owns: [endpointSlice],
  derivedNames: true,
  read(view: ClusterView, { metadata: { namespace, name, uid } }): World {
    const slices = view
      .list(endpointSlice, { namespace, ownerUid: uid })
      .filter(({ metadata }) => metadata.labels?.[managedLabel] === mirroringController);
    return { service: view.get(service, namespace, name), slices };
  },
  decide,
  /** The Service says whether its Endpoints are mirrored. */
  *concerns({ before, after }) {
    const object = after ?? before;
    if (object?.kind === "Service" && object.apiVersion === "v1") yield actorName(object.metadata);
  },
});
