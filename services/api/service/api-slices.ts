/** What the EndpointSlices of the Service `default/kubernetes` say: where the living gateways are. Pure. */
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import { parse } from "../../../libs/model/errors.ts";
import { apiService } from "../../../libs/model/api-service.ts";

const serviceLabel = "kubernetes.io/service-name";

/** A gateway's membership id tells where pods reach it, in characters that a lease's key may hold. */
export const gatewayId = (instance: string, address: string, port: number): string =>
  `${instance}-at-${address.replaceAll(".", "-")}-${port}`;

/** One slice for each port that gateways listen on, as a slice has one set of ports. */
export function wantedSlices(members: readonly string[]): readonly EndpointSlice[] {
  const byPort = new Map<number, Set<string>>();
  for (const id of members) {
    const [, dashed = "", port = ""] = /-at-(\d+-\d+-\d+-\d+)-(\d+)$/.exec(id) ?? [];
    if (dashed === "") continue;
    const address = dashed.replaceAll("-", ".");
    const addresses = byPort.get(Number(port)) ?? new Set();
    byPort.set(Number(port), addresses.add(address));
  }
  return [...byPort]
    .toSorted(([a], [b]) => a - b)
    .map(([port, addresses], nth) =>
      parse(endpointSlice, {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: nth === 0 ? apiService.name : `${apiService.name}-${port}`,
          namespace: apiService.namespace,
          labels: { [serviceLabel]: apiService.name },
        },
        addressType: "IPv4",
        endpoints: [...addresses].toSorted().map((address) => ({
          addresses: [address],
          conditions: { ready: true },
        })),
        ports: [{ name: apiService.portName, port, protocol: "TCP" }],
      }),
    );
}

/** What a slice says, to tell whether two say the same. */
export const saidBy = ({ endpoints, ports, metadata }: EndpointSlice): unknown => ({
  endpoints: endpoints.map(({ addresses, conditions }) => [addresses, conditions.ready]),
  ports: (ports ?? []).map(({ name, port }) => [name, port]),
  label: metadata.labels?.[serviceLabel],
});
