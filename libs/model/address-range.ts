/** Ranges of IPv4 addresses, such as `10.96.0.0/16`. */

/** The `nth` address of an IPv4 range; `addressIn("10.96.0.0/16", 10)` is `10.96.0.10`. */
export function addressIn(cidr: string, nth: number): string {
  const { first } = rangeOf(cidr);
  const value = first + nth;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** An IPv4 range as its first address (a number) and how many it holds. */
export function rangeOf(cidr: string): { readonly first: number; readonly size: number } {
  const [address = "", bits = "32"] = cidr.split("/");
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(bits));
  return { first: value - (value % size), size };
}

/** A node's share of the cluster's pod addresses, unless that is small: a /24, 256 addresses. */
const nodeBits = 24;

/** Into what the cluster's pod addresses are divided, a range for each node. */
export function nodeRangesIn(podCIDR: string): {
  readonly bits: number;
  /** Addresses in one. */
  readonly size: number;
  readonly count: number;
} {
  const bits = Math.max(nodeBits, Number(podCIDR.split("/")[1]) + 2);
  const size = 2 ** (32 - bits);
  return { bits, size, count: Math.floor(rangeOf(podCIDR).size / size) };
}

/** Where the API is reached in a cluster whose Services have this range: at its first address. */
export const apiAddressIn = (serviceCIDR: string): string => addressIn(serviceCIDR, 1);
