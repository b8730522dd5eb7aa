/** Services and slices for tests; they pass the same parsing as real ones. */
import { parseService, parseSlice, type ServiceObject, type SliceObject } from "./objects.ts";

type Spec = Record<string, unknown>;
export const rawService = (name: string, spec: Spec = {}, namespace = "default") => ({
  metadata: { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80 }], ...spec },
});
export function aService(name: string, spec: Spec = {}, namespace = "default"): ServiceObject {
  const service = parseService(rawService(name, spec, namespace));
  if (service === undefined) throw new Error("the fixture is no Service");
  return service;
}

type Ends = readonly Record<string, unknown>[];
export const rawSlice = (
  service: string,
  endpoints: Ends,
  rest: Spec = {},
  namespace = "default",
) => ({
  metadata: {
    name: `${service}-1`,
    namespace,
    labels: { "kubernetes.io/service-name": service },
  },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints,
  ...rest,
});
export function aSlice(
  service: string,
  endpoints: Ends,
  rest: Spec = {},
  namespace = "default",
): SliceObject {
  const slice = parseSlice(rawSlice(service, endpoints, rest, namespace));
  if (slice === undefined) throw new Error("the fixture is no EndpointSlice");
  return slice;
}

/** An endpoint in one of the states that Kubernetes knows. */
export const anEnd = (
  address: string,
  state: "ready" | "unready" | "ending" | "ended" = "ready",
  rest: Spec = {},
) => ({
  addresses: [address],
  conditions: {
    ready: { ready: true, serving: true, terminating: false },
    unready: { ready: false, serving: false, terminating: false },
    ending: { ready: false, serving: true, terminating: true },
    ended: { ready: false, serving: false, terminating: true },
  }[state],
  ...rest,
});
