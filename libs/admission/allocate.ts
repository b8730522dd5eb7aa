import { addressKey } from "../cluster/address-claim.ts";
import { allocKey } from "../cluster/key.ts";
import { addressIn, rangeOf } from "../model/address-range.ts";
import { ApiError } from "../model/errors.ts";
import type { AdmissionContext } from "./context.ts";

/** Reserved at the start of the service range: the network's address, and the cluster's own services. */
const reservedAddresses = 16;

/**
 * A cluster address that no Service has at the cut. Two gateways may pick the same one; only one of
 * their transactions commits (O4).
 *
 * @throws {ApiError} InternalError when the range is full
 */
export function freeClusterAddress(context: AdmissionContext): string {
  const { serviceCIDR } = context.settings;
  const count = rangeOf(serviceCIDR).size - reservedAddresses - 1;
  const nth = freeIn(count, context, (index) =>
    addressKey(addressIn(serviceCIDR, reservedAddresses + index)),
  );
  if (nth === undefined)
    throw new ApiError("InternalError", "no free address in the service range");
  return addressIn(serviceCIDR, reservedAddresses + nth);
}

/** @throws {ApiError} InternalError when every node port is taken */
export function freeNodePort(context: AdmissionContext, taken: ReadonlySet<number>): number {
  const [first, last] = context.settings.nodePorts;
  const nth = freeIn(last - first + 1, context, (index) =>
    taken.has(first + index) ? undefined : allocKey("node-port", first + index),
  );
  if (nth === undefined) throw new ApiError("InternalError", "no free node port");
  return first + nth;
}

/** The first index from a random start, wrapping around, whose key is free; undefined when none is. */
function freeIn(
  count: number,
  { view, random }: AdmissionContext,
  keyAt: (index: number) => string | undefined,
): number | undefined {
  const start = Math.floor(random.next() * count);
  for (let step = 0; step < count; step += 1) {
    const index = (start + step) % count;
    const key = keyAt(index);
    if (key !== undefined && view.raw.get(key) === undefined) return index;
  }
  return undefined;
}
