import { customResourcesIn } from "../../../libs/cluster/custom-kinds.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { namespace, type Namespace } from "../../../libs/model/kinds/namespace.ts";
import { kinds } from "../../../libs/model/registry.ts";
import {
  controller,
  type Decision,
  type ObjectChange,
  remove,
  type StoredObject,
  update,
} from "../controller.ts";

/** Bounds one transaction; what it deletes wakes the actor for the rest. */
export const writesMax = 100;

/** They are there without being asked for. */
const standing = ["default", "kube-system", "kube-public", nodeLeaseNamespace];

export type World = {
  /** What is left in the namespace, when it is being deleted. */
  readonly content: readonly StoredObject[];
};

/** Empties a namespace that is being deleted, then lets it go. */
export function decide(self: Namespace, { content }: World): Decision<StoredObject, Namespace> {
  const doomed = content.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const ending = self.metadata.deletionTimestamp !== undefined;
  const empty = ending && content.length === 0;
  return {
    writes: doomed.slice(0, writesMax).map((object) => remove(object)),
    status: self.status,
    wakeAt: undefined,
    events: [],
    self: empty ? update({ ...self, spec: { ...self.spec, finalizers: [] } }) : undefined,
  };
}

/** Whatever happens in a namespace that is being deleted concerns it. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const name = (after ?? before)?.metadata.namespace;
  if (name === undefined || name === "") return;
  const home = view.get(namespace, undefined, name);
  if (home?.metadata.deletionTimestamp !== undefined) yield name;
}

const contentKinds = kinds.filter((kind) => kind.namespaced && kind.kind !== "Event");

const customContentKinds = (view: ClusterView) =>
  customResourcesIn(view).filter(({ namespaced }) => namespaced);

export const namespaces = controller({
  kind: namespace,
  owns: contentKinds,
  alsoOwns: customContentKinds,
  read(view, self): World {
    if (self.metadata.deletionTimestamp === undefined) return { content: [] };
    const inside = { namespace: self.metadata.name };
    return {
      content: [...contentKinds, ...customContentKinds(view)].flatMap(
        (kind) => view.list(kind, inside) as readonly StoredObject[],
      ), // Every object has metadata.
    };
  },
  decide: decide, // The registry forgets the kinds' types.
  concerns,
  missing: {
    names: standing,
    make: (name) =>
      standing.includes(name)
        ? { apiVersion: "v1", kind: "Namespace", metadata: { name } }
        : undefined,
  },
});
