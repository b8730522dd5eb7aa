import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { objectsIn, type State } from "../state.ts";
import { type Act, type Chance, other, workload } from "../workload.ts";

/** A namespace that comes and goes, with what others put into it; nothing outlives it, or its owner. */
export const namespaces = workload({ name: "namespaces", weight: 2, draw, unfinished });

function draw(chance: Chance): Act {
  const metadata = { name: other };
  if (chance.is(0.4)) {
    return { what: `delete namespace ${other}`, run: (user) => user.remove(namespace, metadata) };
  }
  return {
    what: `namespace ${other}`,
    run: (user) => user.create(namespace, { metadata }),
  };
}

type Owned = {
  readonly metadata?: {
    readonly uid?: string;
    readonly namespace?: string;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
};

function* unfinished(state: State): Iterable<string> {
  const homes = new Set<string>();
  for (const { metadata } of objectsIn(state, namespace)) {
    homes.add(metadata.name);
    if (metadata.deletionTimestamp !== undefined) yield `namespace ${metadata.name} does not end`;
  }
  // Of any kind; a guard's scratch key holds nothing.
  const all = [...state.keys].map(([key, value]) => ({
    key,
    metadata: (value as Owned | undefined)?.metadata,
  }));
  const uids = new Set(all.map(({ metadata }) => metadata?.uid));
  for (const { key, metadata } of all) {
    if (metadata?.uid === undefined) continue;
    const inside = metadata.namespace ?? "";
    if (inside !== "" && !homes.has(inside)) yield `${key} outlives its namespace`;
    const owners = metadata.ownerReferences ?? [];
    if (owners.some(({ uid }) => !uids.has(uid))) yield `${key} outlives an owner`;
  }
}
