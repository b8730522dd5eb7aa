import { stableHash } from "../workload/stable-hash.ts";
import { addressIn, nodeRangesIn } from "../../../../libs/model/address-range.ts";

/**
 * A range of the cluster's pod CIDR that no node has; undefined when all are taken. Two turns may pick
 * the same one; its key lets only one of them commit (O4). So each begins where its node's name says:
 * a dozen nodes that register at once would otherwise all want the first one.
 */
export function freePodRange(
  podCIDR: string,
  node: string,
  isTaken: (range: string) => boolean,
): string | undefined {
  const { bits, size, count } = nodeRangesIn(podCIDR);
  const first = stableHash(node) % count;
  for (let step = 0; step < count; step += 1) {
    const nth = (first + step) % count;
    const range = `${addressIn(podCIDR, nth * size)}/${bits}`;
    if (!isTaken(range)) return range;
  }
  return undefined;
}
