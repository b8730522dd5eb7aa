import type { EndpointSlice } from "../../../../libs/model/kinds/endpointslice.ts";
import type { Service } from "../../../../libs/model/kinds/service.ts";
import { isTerminal, readySinceMs } from "../../../../libs/model/pod/state.ts";
import type { PlacedPod } from "../workload/pod-state.ts";

export type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];
export type SlicePort = NonNullable<EndpointSlice["ports"]>[number];

/** The endpoints that share one list of port numbers; slices can say only one list each. */
export type PortGroup = {
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly Endpoint[];
};

/** The endpoints of a Service, by the ports that they resolve its named ports to. */
export function portGroups(service: Service, pods: readonly PlacedPod[]): readonly PortGroup[] {
  const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: Endpoint[] }>();
  for (const placed of pods) {
    const endpoint = endpointOf(service, placed);
    if (endpoint === undefined) continue;
    const ports = portsFor(service, placed);
    const text = JSON.stringify(ports);
    const group = groups.get(text) ?? { ports, endpoints: [] };
    group.endpoints.push(endpoint);
    groups.set(text, group);
  }
  return [...groups.values()];
}

/**
 * A pod as an endpoint; undefined while it has no address, and once it has ended. What terminates
 * serves on but is not ready: the dataplane sends it nothing new (N6).
 */
function endpointOf(service: Service, { pod, nodeReady }: PlacedPod): Endpoint | undefined {
  const address = pod.status?.podIP ?? "";
  if (address === "" || isTerminal(pod)) return undefined;
  const { spec, metadata } = pod;
  const serving = nodeReady && readySinceMs(pod) !== undefined;
  const terminating = metadata.deletionTimestamp !== undefined;
  const always = service.spec.publishNotReadyAddresses === true;
  const named = spec.hostname !== undefined && spec.subdomain === service.metadata.name;
  return {
    addresses: [address],
    conditions: {
      ready: always || (serving && !terminating),
      serving: always || serving,
      terminating,
    },
    ...(named && spec.hostname !== undefined && { hostname: spec.hostname }),
    targetRef: {
      kind: "Pod",
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
    },
    ...(spec.nodeName !== undefined && spec.nodeName !== "" && { nodeName: spec.nodeName }),
  }; // Built field by field from parsed objects.
}

/** The Service's ports as numbers of this pod; a name that none of its containers has is left out. */
function portsFor({ spec }: Service, { pod }: PlacedPod): readonly SlicePort[] {
  return (spec.ports ?? []).flatMap((port): SlicePort[] => {
    const { name = "", protocol, appProtocol, targetPort } = port;
    const number = numberOf(targetPort ?? port.port, protocol, pod);
    if (number === undefined) return [];
    return [
      {
        name,
        protocol,
        port: number,
        ...(appProtocol !== undefined && { appProtocol }),
      },
    ];
  });
}

function numberOf(
  target: number | string,
  protocol: string,
  { spec }: PlacedPod["pod"],
): number | undefined {
  if (typeof target === "number") return target;
  const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  for (const { ports = [] } of [...spec.containers, ...sidecars]) {
    const found = ports.find((one) => one.name === target && (one.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}
