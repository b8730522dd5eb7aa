/**
 * Cluster DNS: what the names under the cluster's domain mean, as Kubernetes' DNS-based service
 * discovery has it. Pure: a question in, records out.
 */
import { isIPv4 } from "node:net";
import { serviceNameLabel, type ServiceObject, type SliceObject } from "../objects.ts";
import { isReady } from "../routes/plan.ts";

export type Question = { readonly name: string; readonly type: string };
export type DnsRecord =
  | { readonly name: string; readonly type: "A"; readonly data: string }
  | { readonly name: string; readonly type: "CNAME" | "NS" | "PTR" | "TXT"; readonly data: string }
  | {
      readonly name: string;
      readonly type: "SRV";
      readonly data: { priority: number; weight: number; port: number; target: string };
    };

export type Found =
  /** Not a name of the cluster: ask the machine's name servers. */
  | { readonly kind: "foreign" }
  /** NXDOMAIN: neither the name nor any below it exists. */
  | { readonly kind: "nothing" }
  /** No records of that type (NODATA) when empty. `extra` are the addresses of SRV targets. */
  | {
      readonly kind: "records";
      readonly records: readonly DnsRecord[];
      readonly extra: readonly DnsRecord[];
    };

export interface Zone {
  /** The cluster's domain, lower-case, without a dot at its end. */
  readonly domain: string;
  find(question: Question): Found;
}

export type ZoneWorld = {
  readonly domain: string;
  readonly serviceCIDR: string;
  readonly podCIDR: string;
  readonly dnsAddress: string;
  readonly services: readonly ServiceObject[];
  readonly slices: readonly SliceObject[];
};

export function zone(world: ZoneWorld): Zone {
  const domain = world.domain.toLowerCase();
  const names = namesOf(world, domain);
  return {
    domain,
    find({ name, type }) {
      const asked = name.toLowerCase().replace(/\.$/, "");
      const reverse = addressOfReverse(asked);
      if (reverse !== undefined) {
        const isOurs = inRange(reverse, world.serviceCIDR) || inRange(reverse, world.podCIDR);
        return isOurs || names.has(asked) ? ofName(names, asked, type) : { kind: "foreign" };
      }
      if (asked !== domain && !asked.endsWith(`.${domain}`)) return { kind: "foreign" };
      const pod = podRecord(asked, domain, world.podCIDR);
      if (pod !== undefined) return only(type === "A" || type === "ANY" ? [pod] : []);
      return ofName(names, asked, type);
    },
  };
}

/** Every name that exists, the empty ones between them too, with its records. */
type Names = ReadonlyMap<string, readonly DnsRecord[]>;

function ofName(names: Names, name: string, type: string): Found {
  const all = names.get(name);
  if (all === undefined) return { kind: "nothing" };
  const alias = all.filter((record) => record.type === "CNAME");
  if (alias.length > 0) return only(alias);
  const records = all.filter((record) => type === "ANY" || record.type === type);
  const extra = records.flatMap((record) =>
    record.type === "SRV" ? (names.get(record.data.target) ?? []).filter(isAddress) : [],
  );
  return { kind: "records", records, extra: [...new Set(extra)] };
}

const only = (records: readonly DnsRecord[]): Found => ({ kind: "records", records, extra: [] });
const isAddress = ({ type }: DnsRecord) => type === "A";

function namesOf(world: ZoneWorld, domain: string): Names {
  const names = new Map<string, DnsRecord[]>();
  const exists = (name: string): DnsRecord[] => {
    const found = names.get(name) ?? [];
    names.set(name, found);
    const parent = name.slice(name.indexOf(".") + 1);
    if (name.endsWith(`.${domain}`) && !names.has(parent)) exists(parent);
    return found;
  };
  const add = (record: DnsRecord) => {
    const held = exists(record.name);
    const text = JSON.stringify(record);
    if (!held.some((other) => JSON.stringify(other) === text)) held.push(record);
  };

  add({ name: domain, type: "NS", data: `ns.dns.${domain}` });
  add({ name: `ns.dns.${domain}`, type: "A", data: world.dnsAddress });
  add({ name: `dns-version.${domain}`, type: "TXT", data: "1.1.0" });
  exists(`svc.${domain}`);
  exists(`pod.${domain}`);

  const slices = Map.groupBy(
    world.slices,
    ({ metadata: { namespace, labels } }) => `${namespace}/${labels[serviceNameLabel] ?? ""}`,
  );
  for (const service of world.services) {
    const { metadata, spec } = service;
    const name = `${metadata.name}.${metadata.namespace}.svc.${domain}`.toLowerCase();
    exists(name);
    exists(`${metadata.namespace}.pod.${domain}`.toLowerCase());
    if (spec.type === "ExternalName") {
      const target = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
      if (target !== "") add({ name, type: "CNAME", data: target });
    } else if (isIPv4(spec.clusterIP ?? "")) {
      addClusterIP(service, name, spec.clusterIP ?? "", add);
    } else {
      const own = slices.get(`${metadata.namespace}/${metadata.name}`) ?? [];
      for (const slice of own) addHeadless(slice, name, add);
    }
  }
  return names;
}

function addClusterIP(
  service: ServiceObject,
  name: string,
  address: string,
  add: (record: DnsRecord) => void,
): void {
  add({ name, type: "A", data: address });
  add({ name: reverseOf(address), type: "PTR", data: name });
  for (const { name: port, protocol, port: number } of service.spec.ports) {
    if (port !== "") add(srv(name, port, protocol, number, name));
  }
}

/** A headless Service's ready endpoints, each also under its hostname. */
function addHeadless(slice: SliceObject, name: string, add: (record: DnsRecord) => void): void {
  if (slice.addressType !== "IPv4") return;
  for (const endpoint of slice.endpoints.filter(isReady)) {
    for (const address of endpoint.addresses.filter(isIPv4)) {
      const host = (endpoint.hostname ?? address.replaceAll(".", "-")).toLowerCase();
      add({ name, type: "A", data: address });
      add({ name: `${host}.${name}`, type: "A", data: address });
      if (endpoint.hostname !== undefined) {
        add({ name: reverseOf(address), type: "PTR", data: `${host}.${name}` });
      }
      for (const { name: port, protocol, port: number } of slice.ports) {
        if (port !== "" && number !== undefined) {
          add(srv(name, port, protocol, number, `${host}.${name}`));
        }
      }
    }
  }
}

const srv = (
  name: string,
  port: string,
  protocol: string,
  number: number,
  target: string,
): DnsRecord => ({
  name: `_${port}._${protocol}.${name}`.toLowerCase(),
  type: "SRV",
  data: { priority: 0, weight: 100, port: number, target },
});

/** `a-b-c-d.<namespace>.pod.<domain>`: the address itself, whether or not a pod has it. */
function podRecord(name: string, domain: string, podCIDR: string): DnsRecord | undefined {
  const suffix = `.pod.${domain}`;
  if (!name.endsWith(suffix)) return undefined;
  const [host = "", namespace, ...more] = name.slice(0, -suffix.length).split(".");
  if (namespace === undefined || more.length > 0) return undefined;
  const address = host.replaceAll("-", ".");
  if (!/^\d+-\d+-\d+-\d+$/.test(host) || !isIPv4(address)) return undefined;
  return inRange(address, podCIDR) ? { name, type: "A", data: address } : undefined;
}

const reverseOf = (address: string) => `${address.split(".").toReversed().join(".")}.in-addr.arpa`;

function addressOfReverse(name: string): string | undefined {
  const suffix = ".in-addr.arpa";
  if (!name.endsWith(suffix)) return undefined;
  const address = name.slice(0, -suffix.length).split(".").toReversed().join(".");
  return isIPv4(address) ? address : undefined;
}

function inRange(address: string, cidr: string): boolean {
  const [base = "", bits = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

const numberOf = (address: string) =>
  address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
