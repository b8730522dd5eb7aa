import { node } from "../../../libs/model/kinds/node.ts";
import { service } from "../../../libs/model/kinds/service.ts";
import { invariant } from "../invariant.ts";
import { objectsIn, type State, touches } from "../state.ts";

/** No two Services have one cluster address or node port, no two nodes one range (O4). */
export const addressesOnce = invariant("addresses-once", () => shared);

function* shared(state: State): Iterable<string> {
  if (!touches(state, service, node)) return;
  const taken = new Map<string, string>();
  for (const [value, name] of allocated(state)) {
    const other = taken.get(value);
    if (other !== undefined) yield `${name} and ${other} have ${value}`;
    taken.set(value, name);
  }
}

function* allocated(state: State): Iterable<readonly [string, string]> {
  for (const { metadata, spec } of objectsIn(state, service)) {
    const values = [spec.clusterIP, ...(spec.ports ?? []).map(({ nodePort }) => nodePort)];
    for (const value of values) {
      if (value === undefined || value === "" || value === "None" || value === 0) continue;
      yield [String(value), `${metadata.namespace}/${metadata.name}`];
    }
  }
  for (const { metadata, spec } of objectsIn(state, node)) {
    if (spec.podCIDR !== undefined && spec.podCIDR !== "") yield [spec.podCIDR, metadata.name];
  }
}
