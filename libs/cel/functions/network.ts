/** Kubernetes' addresses, networks and URLs in CEL. */
import {
  type Address,
  addressText,
  type Network,
  parseAddress,
  parseNetwork,
} from "./addresses.ts";
import { define, failure, type Library } from "./library.ts";
import { parseUrl, type ParsedUrl } from "./parse-url.ts";

class Ip {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
  toString() {
    return addressText(this.address);
  }
}

class Cidr {
  readonly network: Network;
  constructor(network: Network) {
    this.network = network;
  }
  toString() {
    return `${addressText(this.network.address)}/${this.network.prefix}`;
  }
}

class Url {
  readonly parts: ParsedUrl;
  constructor(parts: ParsedUrl) {
    this.parts = parts;
  }
  toString() {
    return this.parts.text;
  }
}

class IpNamespace {
  readonly name = "ip";
}

const ipType = "net.IP";
const cidrType = "net.CIDR";
const urlType = "kubernetes.URL";
type Printed = { readonly toString: () => string };
const same = (a: Printed, b: Printed) => a.toString() === b.toString();

export const network: Library = (environment) => {
  environment.registerType(ipType, { ctor: Ip, fields: {} });
  environment.registerType(cidrType, { ctor: Cidr, fields: {} });
  environment.registerType(urlType, { ctor: Url, fields: {} });
  environment.registerType("IpNamespace", { ctor: IpNamespace, fields: {} });
  environment.registerConstant("ip", "IpNamespace", new IpNamespace());
  for (const type of [ipType, cidrType, urlType])
    environment.registerOperator(`${type} == ${type}`, same);
  define(environment, [
    ["isIP(string): bool", (text: string) => parseAddress(text) !== undefined],
    [`ip(string): ${ipType}`, ipOf],
    [
      "IpNamespace.isCanonical(string): bool",
      (_: IpNamespace, text: string) => String(ipOf(text)) === text,
    ],
    [`string(${ipType}): string`, String],
    [`${ipType}.family(): int`, ({ address }: Ip) => BigInt(address.family)],
    [`${ipType}.isUnspecified(): bool`, ({ address }: Ip) => address.bits === 0n],
    [`${ipType}.isLoopback(): bool`, ({ address }: Ip) => isIn(address, "127.0.0.0/8", "::1/128")],
    [`${ipType}.isLinkLocalMulticast(): bool`, ({ address }: Ip) => isLinkLocalMulticast(address)],
    [
      `${ipType}.isLinkLocalUnicast(): bool`,
      ({ address }: Ip) => isIn(address, "169.254.0.0/16", "fe80::/10"),
    ],
    [`${ipType}.isGlobalUnicast(): bool`, isGlobalUnicast],
    ["isCIDR(string): bool", (text: string) => parseNetwork(text) !== undefined],
    [`cidr(string): ${cidrType}`, cidrOf],
    [`string(${cidrType}): string`, String],
    [
      `${cidrType}.containsIP(${ipType}): bool`,
      (self: Cidr, ip: Ip) => contains(self.network, ip.address),
    ],
    [
      `${cidrType}.containsIP(string): bool`,
      (self: Cidr, ip: string) => contains(self.network, ipOf(ip).address),
    ],
    [
      `${cidrType}.containsCIDR(${cidrType}): bool`,
      (self: Cidr, other: Cidr) => covers(self, other),
    ],
    [
      `${cidrType}.containsCIDR(string): bool`,
      (self: Cidr, other: string) => covers(self, cidrOf(other)),
    ],
    [`${cidrType}.ip(): ${ipType}`, (self: Cidr) => new Ip(self.network.address)],
    [`${cidrType}.masked(): ${cidrType}`, ({ network }: Cidr) => new Cidr(masked(network))],
    [`${cidrType}.prefixLength(): int`, (self: Cidr) => BigInt(self.network.prefix)],
    ["isURL(string): bool", (text: string) => parseUrl(text) !== undefined],
    [`url(string): ${urlType}`, urlOf],
    [`${urlType}.getScheme(): string`, ({ parts }: Url) => parts.scheme],
    [`${urlType}.getHost(): string`, ({ parts }: Url) => parts.host],
    [`${urlType}.getHostname(): string`, ({ parts }: Url) => parts.hostname],
    [`${urlType}.getPort(): string`, ({ parts }: Url) => parts.port],
    [`${urlType}.getEscapedPath(): string`, ({ parts }: Url) => parts.path],
    [`${urlType}.getQuery(): map<string, list<string>>`, ({ parts }: Url) => parts.query],
  ]);
};

function ipOf(text: string): Ip {
  const address = parseAddress(text);
  if (address === undefined)
    throw failure(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new Ip(address);
}

function cidrOf(text: string): Cidr {
  const parsed = parseNetwork(text);
  if (parsed === undefined)
    throw failure(
      `network address parse error during conversion from string: ${JSON.stringify(text)}`,
    );
  return new Cidr(parsed);
}

function urlOf(text: string): Url {
  const parts = parseUrl(text);
  if (parts === undefined)
    throw failure(`URL parse error during conversion from string: ${JSON.stringify(text)}`);
  return new Url(parts);
}

const widthOf = ({ family }: Address) => (family === 4 ? 32 : 128);

function masked({ address, prefix }: Network): Network {
  const host = BigInt(widthOf(address) - prefix);
  return { address: { ...address, bits: (address.bits >> host) << host }, prefix };
}

const contains = (network: Network, address: Address) =>
  network.address.family === address.family &&
  masked({ address, prefix: network.prefix }).address.bits === masked(network).address.bits;

const covers = (self: Cidr, other: Cidr) =>
  self.network.prefix <= other.network.prefix && contains(self.network, other.network.address);

const isIn = (address: Address, ...networks: readonly string[]) =>
  networks.some((text) => contains(cidrOf(text).network, address));

const isMulticast = (address: Address) => isIn(address, "224.0.0.0/4", "ff00::/8");
const isLinkLocalMulticast = (address: Address) =>
  isIn(address, "224.0.0.0/24") ||
  // The scope is the low half of the second byte.
  (isIn(address, "ff00::/8") && ((address.bits >> 112n) & 0xfn) === 2n);

const isGlobalUnicast = ({ address }: Ip) =>
  address.bits !== 0n &&
  !isIn(address, "255.255.255.255/32", "127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10") &&
  !isMulticast(address);
