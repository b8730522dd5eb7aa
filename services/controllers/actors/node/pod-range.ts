import { addressIn, rangeOf } from "../../../../libs/cluster/settings.ts";

/** A node's share of the cluster's pod addresses, unless that is small: a /24, 256 addresses. */
const nodeBits = 24;

/**
 * The first range of the cluster's pod CIDR that no node has; undefined when all are taken. Two turns
 * may pick the same one; its key lets only one of them commit (O4).
 */
export function freePodRange(
  podCIDR: string,
  isTaken: (range: string) => boolean,
): string | undefined {
  const bits = Math.max(nodeBits, Number(podCIDR.split("/")[1]) + 2);
  const size = 2 ** (32 - bits);
  const count = Math.floor(rangeOf(podCIDR).size / size);
  for (let nth = 0; nth < count; nth += 1) {
    const range = `${addressIn(podCIDR, nth * size)}/${bits}`;
    if (!isTaken(range)) return range;
  }
  return undefined;
}
