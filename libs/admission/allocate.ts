import { allocKey, type Pool } from "../cluster/key.ts";
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
  const nth = freeIn("cluster-ip", count, context, (index) =>
    addressIn(serviceCIDR, reservedAddresses + index),
  );
  if (nth === undefined)
    throw new ApiError("InternalError", "no free address in the service range");
  return addressIn(serviceCIDR, reservedAddresses + nth);
}

/** @throws {ApiError} InternalError when every node port is taken */
export function freeNodePort(context: AdmissionContext, taken: ReadonlySet<number>): number {
  const [first, last] = context.settings.nodePorts;
  const nth = freeIn("node-port", last - first + 1, context, (index) =>
    taken.has(first + index) ? undefined : first + index,
  );
  if (nth === undefined) throw new ApiError("InternalError", "no free node port");
  return first + nth;
}

/** The first free index from a random start, wrapping around; undefined when all are taken. */
function freeIn(
  pool: Pool,
  count: number,
  { view, random }: AdmissionContext,
  valueAt: (index: number) => string | number | undefined,
): number | undefined {
  const start = Math.floor(random.next() * count);
  for (let step = 0; step < count; step += 1) {
    const index = (start + step) % count;
    const value = valueAt(index);
    if (value !== undefined && view.raw.get(allocKey(pool, value)) === undefined) return index;
  }
  return undefined;
}
