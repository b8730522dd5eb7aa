/** Ranges of addresses: `10.9.8.0/24`, `2001:db8::/64`. */
import { BlockList, isIPv4, isIPv6 } from "node:net";

type Range = {
  readonly address: string;
  readonly length: number;
  readonly family: "ipv4" | "ipv6";
};

function rangeOf(text: string): Range | undefined {
  const [address = "", length = "", ...more] = text.split("/");
  if (more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = Number(length);
  if (isIPv4(address)) return bits <= 32 ? { address, length: bits, family: "ipv4" } : undefined;
  return isIPv6(address) && bits <= 128 ? { address, length: bits, family: "ipv6" } : undefined;
}

export const isCidr = (text: string): boolean => rangeOf(text) !== undefined;

/** Whether `inner` is a smaller range, all of it in `outer`. */
export function isWithinCidr(inner: string, outer: string): boolean {
  const [small, large] = [rangeOf(inner), rangeOf(outer)];
  if (small === undefined || large === undefined) return false;
  if (small.family !== large.family || small.length <= large.length) return false;
  const block = new BlockList();
  block.addSubnet(large.address, large.length, large.family);
  return block.check(small.address, small.family);
}
