/** What the machine's rules must be, computed from Services, slices and nodes. Pure. */
import { isIPv4 } from "node:net";
import {
  type Endpoint,
  serviceNameLabel,
  type ServiceObject,
  type SliceObject,
} from "../objects.ts";

export type Backend = { readonly address: string; readonly port: number };
export type Protocol = "TCP" | "UDP" | "SCTP";

/** One port of one Service. */
export type Route = {
  /** `<namespace>/<service>/<port>/<protocol>`. */
  readonly key: string;
  readonly protocol: Protocol;
  /** Where it is reached: its ClusterIP, external addresses, and the node port on every own address. */
  readonly clusterAddress: string;
  readonly externalAddresses: readonly string[];
  readonly port: number;
  readonly nodePort: number | undefined;
  /** For clients in the cluster by ClusterIP, and for clients from outside; empty: refuse. */
  readonly inside: readonly Backend[];
  readonly outside: readonly Backend[];
  /** A client keeps its backend for so long after its last connection. */
  readonly affinitySeconds: number | undefined;
};

export type Plan = {
  readonly serviceCIDR: string;
  readonly podCIDR: string;
  /** Pod ranges of the nodes on this machine. */
  readonly localPodCIDRs: readonly string[];
  readonly routes: readonly Route[];
};

export type NodeFact = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly podCIDR?: string | undefined;
};

export type World = {
  readonly services: readonly ServiceObject[];
  readonly slices: readonly SliceObject[];
  readonly nodes: readonly NodeFact[];
  readonly cluster: { readonly serviceCIDR: string; readonly podCIDR: string };
  /** The addresses of this machine's interfaces: a node with one of them runs here. */
  readonly machineAddresses: readonly string[];
};

/**
 * The rules for `world`. What two Services claim (an external address with a port, a node port)
 * belongs to the older one.
 */
export function plan(world: World): Plan {
  const own = new Set(world.machineAddresses);
  const localNodes = world.nodes.filter(({ addresses }) => addresses.some((at) => own.has(at)));
  const context: Context = {
    key: JSON.stringify(localNodes.map(({ name }) => name)) + JSON.stringify(world.nodes),
    local: new Set(localNodes.map(({ name }) => name)),
    nodeAddresses: unique(world.nodes.flatMap(({ addresses }) => addresses)).filter(isIPv4),
    slices: Map.groupBy(world.slices, serviceOf),
  };
  const routes = world.services
    .toSorted(olderFirst)
    .flatMap((service) => remembered(service, context));
  return {
    serviceCIDR: world.cluster.serviceCIDR,
    podCIDR: world.cluster.podCIDR,
    localPodCIDRs: localNodes.flatMap(({ podCIDR }) => podCIDR ?? []).toSorted(),
    routes: withoutClashes(routes),
  };
}

type Context = {
  /** Equal for worlds that differ in Services and slices only. */
  readonly key: string;
  /** Names of the nodes on this machine. */
  readonly local: ReadonlySet<string>;
  readonly nodeAddresses: readonly string[];
  readonly slices: ReadonlyMap<string, readonly SliceObject[]>;
};

type Remembered = {
  readonly context: string;
  readonly slices: readonly SliceObject[];
  readonly routes: readonly Route[];
};
/** Objects are replaced when they change, never changed: what was made of the same ones holds. */
const memory = new WeakMap<ServiceObject, Remembered>();
const noSlices: readonly SliceObject[] = [];

/** A change of one Service or slice costs what that one costs, however many there are. */
function remembered(service: ServiceObject, context: Context): readonly Route[] {
  const { namespace, name } = service.metadata;
  const slices = context.slices.get(`${namespace}/${name}`) ?? noSlices;
  const last = memory.get(service);
  const isSame =
    last?.context === context.key &&
    last.slices.length === slices.length &&
    last.slices.every((slice, nth) => slice === slices[nth]);
  if (isSame) return last.routes;
  const routes = routesOf(service, context);
  memory.set(service, { context: context.key, slices, routes });
  return routes;
}

function routesOf(service: ServiceObject, context: Context): Route[] {
  const { metadata, spec } = service;
  const { clusterIP = "" } = spec;
  if (spec.type === "ExternalName" || !isIPv4(clusterIP)) return []; // Headless, or none allocated yet.
  const name = `${metadata.namespace}/${metadata.name}`;
  const slices = context.slices.get(name) ?? [];
  const exposed = spec.type === "NodePort" || spec.type === "LoadBalancer";
  const balanced = spec.type === "LoadBalancer" ? context.nodeAddresses : [];
  return spec.ports.map((port): Route => {
    const all = slices.flatMap((slice) => targetsIn(slice, port));
    const near = all.filter(({ endpoint }) => context.local.has(endpoint.nodeName ?? ""));
    return {
      key: `${name}/${port.name === "" ? port.port : port.name}/${port.protocol}`,
      protocol: port.protocol,
      clusterAddress: clusterIP,
      externalAddresses: unique([...spec.externalIPs, ...balanced]).filter(isRoutable),
      port: port.port,
      nodePort: exposed && (port.nodePort ?? 0) > 0 ? port.nodePort : undefined,
      inside: backendsOf(spec.internalTrafficPolicy === "Local" ? near : all),
      outside: backendsOf(spec.externalTrafficPolicy === "Local" ? near : all),
      affinitySeconds:
        spec.sessionAffinity === "ClientIP"
          ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
          : undefined,
    };
  });
}

type Target = { readonly endpoint: Endpoint; readonly port: number };

/** A slice's port has the number that its endpoints' pods use: named target ports are resolved in it. */
function targetsIn(slice: SliceObject, port: ServiceObject["spec"]["ports"][number]): Target[] {
  if (slice.addressType !== "IPv4") return [];
  const number = slice.ports.find(
    ({ name, protocol }) => name === port.name && protocol === port.protocol,
  )?.port;
  if (number === undefined) return [];
  return slice.endpoints.map((endpoint) => ({ endpoint, port: number }));
}

/** The ready ones; when there are none, those that still serve while they terminate. */
function backendsOf(targets: readonly Target[]): Backend[] {
  const ready = targets.filter(({ endpoint }) => isReady(endpoint));
  const used =
    ready.length > 0 ? ready : targets.filter(({ endpoint }) => servesToTheEnd(endpoint));
  const found = used.flatMap(({ endpoint, port }) =>
    endpoint.addresses
      .slice(0, 1)
      .filter(isIPv4)
      .map((address) => `${address}:${port}`),
  );
  return unique(found)
    .toSorted()
    .map((text) => {
      const [address = "", port = ""] = text.split(":");
      return { address, port: Number(port) };
    });
}

/** Absent conditions are true (discovery/v1), except `terminating`. */
export const isReady = ({ conditions }: Endpoint): boolean => conditions.ready ?? true;
const servesToTheEnd = ({ conditions }: Endpoint) =>
  (conditions.serving ?? true) && (conditions.terminating ?? false);

function withoutClashes(routes: readonly Route[]): Route[] {
  const claimed = new Set<string>();
  const claim = (what: string) => {
    if (claimed.has(what)) return false;
    claimed.add(what);
    return true;
  };
  return routes.flatMap((route) => {
    const { protocol, port, nodePort } = route;
    if (!claim(`${route.clusterAddress} ${protocol} ${port}`)) return [];
    const externalAddresses = route.externalAddresses.filter((at) =>
      claim(`${at} ${protocol} ${port}`),
    );
    const own =
      nodePort !== undefined && claim(`node ${protocol} ${nodePort}`) ? nodePort : undefined;
    const isWhole = own === nodePort && externalAddresses.length === route.externalAddresses.length;
    return isWhole ? route : { ...route, externalAddresses, nodePort: own };
  });
}

/** An external address must not take what is the machine's own or nobody's. */
const isRoutable = (address: string) => isIPv4(address) && !/^(0|127|2[2-5]\d)\./.test(address);

const serviceOf = ({ metadata: { namespace, labels } }: SliceObject) =>
  `${namespace}/${labels[serviceNameLabel] ?? ""}`;

function olderFirst({ metadata: one }: ServiceObject, { metadata: other }: ServiceObject): number {
  const [left, right] = [one, other].map(
    ({ creationTimestamp, namespace, name }) => `${creationTimestamp} ${namespace}/${name}`,
  );
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

const unique = (texts: readonly string[]) => [...new Set(texts)];
