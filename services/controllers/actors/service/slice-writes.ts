import { dequal } from "dequal";
import type { EndpointSlice } from "../../../../libs/model/kinds/endpointslice.ts";
import { create, type Newborn, remove, update, type Write } from "../../controller.ts";

/** A slice as it shall be. */
export type Slice = Newborn &
  Pick<EndpointSlice, "addressType" | "ports" | "endpoints"> & {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  };

/** What makes of the slices that there are those that are wanted. */
export function sliceWrites(
  wanted: readonly Slice[],
  slices: readonly EndpointSlice[],
): readonly Write<EndpointSlice>[] {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  return [
    ...wanted.flatMap((slice) => writeOf(slice, slices)),
    ...slices.filter(({ metadata }) => !names.has(metadata.name)).map((slice) => remove(slice)),
  ];
}

function writeOf(wanted: Slice, slices: readonly EndpointSlice[]): readonly Write<EndpointSlice>[] {
  const held = slices.find(({ metadata }) => metadata.name === wanted.metadata.name);
  if (held === undefined) return [create(wanted)];
  const next: EndpointSlice = {
    ...held,
    metadata: { ...held.metadata, labels: { ...wanted.metadata.labels } },
    ports: wanted.ports,
    endpoints: wanted.endpoints,
  };
  return dequal(held, next) ? [] : [update(next)];
}
