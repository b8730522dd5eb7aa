import { usageOf, type Usage } from "../../../libs/admission/quota/usage.ts";
import { usedIn } from "../../../libs/admission/quota/counted.ts";
import { customResourceNamed, customResourcesIn } from "../../../libs/cluster/custom-kinds.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { resourceQuota, type ResourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import { kinds, kindNamed } from "../../../libs/model/registry.ts";
import { dequal } from "dequal";
import {
  actorName,
  controller,
  type Decision,
  type ObjectChange,
  type StoredObject,
} from "../controller.ts";

export type World = {
  /** What is used in the cut, of each resource that the quota names. */
  readonly used: Usage;
};

/**
 * Counts what is used. Whoever adds something has charged the quota in the same transaction (O3), so
 * a count that a later charge would make wrong is not committed: it expects the quota's revision.
 */
export function decide(self: ResourceQuota, { used }: World): Decision<never, ResourceQuota> {
  const status = { hard: self.spec.hard ?? {}, used };
  const same = dequal(self.status, status);
  return { writes: [], status: same ? self.status : status, wakeAt: undefined, events: [] };
}

const counted = kinds.filter((kind) => kind.namespaced && kind.kind !== "Event");

/** What uses more or less than before concerns the quotas of its namespace. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  const namespace = object?.metadata.namespace;
  if (object === undefined || namespace === undefined) return;
  const quotas = view.list(resourceQuota, { namespace });
  if (quotas.length === 0 || dequal(usageIn(before, view), usageIn(after, view))) return;
  for (const { metadata } of quotas) yield actorName(metadata);
}

function usageIn(object: StoredObject | undefined, view: ClusterView): Usage {
  const kind =
    object && (kindNamed(object.apiVersion, object.kind) ?? customResourceNamed(view, object));
  return kind === undefined ? {} : usageOf({ group: kind.group, resource: kind.plural, object });
}

export const resourceQuotas = controller({
  kind: resourceQuota,
  owns: [],
  read: (view, self): World => ({
    used: usedIn(view, self, [...counted, ...customResourcesIn(view)]),
  }),
  decide,
  concerns,
});
