/** Where a Service is: the endpoints that are ready now. Pure. */
import type { ClusterView } from "../cluster/view.ts";
import { endpointSlice, type EndpointSlice } from "../model/kinds/endpointslice.ts";
import { service as serviceKind } from "../model/kinds/service.ts";
import type { Random } from "../telemetry/random.ts";
import type { Endpoint } from "./call.ts";

const serviceNameLabel = "kubernetes.io/service-name";

/**
 * In an order of chance, so that many calls share the endpoints.
 *
 * @throws {Error} in Kubernetes' words when there is no such Service, port, or endpoint
 */
export function endpointsOf(
  view: ClusterView,
  {
    namespace,
    name,
    port,
  }: { readonly namespace: string; readonly name: string; readonly port: number },
  random: Random,
): readonly Endpoint[] {
  const service = view.get(serviceKind, namespace, name);
  if (service === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
  const { type, externalName, ports = [] } = service.spec;
  if (type === "ExternalName") return [{ host: externalName ?? "", port }];
  const served = ports.find((one) => one.port === port);
  if (served === undefined) {
    throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  }
  const slices = view.list(endpointSlice, {
    namespace,
    selector: { matchLabels: { [serviceNameLabel]: name } },
  });
  const ready = slices.flatMap((slice) => readyIn(slice, served.name ?? ""));
  if (ready.length === 0) {
    throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  const first = Math.floor(random.next() * ready.length);
  return [...ready.slice(first), ...ready.slice(0, first)];
}

function readyIn({ endpoints, ports }: EndpointSlice, portName: string): readonly Endpoint[] {
  const served = ports.find(({ name }) => name === portName)?.port;
  if (served === undefined) return [];
  return endpoints
    .filter(({ conditions }) => conditions.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port: served })));
}
