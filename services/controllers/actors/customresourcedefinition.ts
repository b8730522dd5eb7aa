import { customResourcesIn } from "../../../libs/cluster/custom-kinds.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import {
  cleanupFinalizer,
  definitionStatus,
} from "../../../libs/model/custom/definition-status.ts";
import {
  customResourceDefinition,
  type CustomResourceDefinition,
} from "../../../libs/model/kinds/customresourcedefinition.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { dequal } from "dequal";
import {
  actorName,
  controller,
  type Decision,
  type ObjectChange,
  remove,
  type StoredObject,
  update,
} from "../controller.ts";

/** Bounds one transaction; what it deletes wakes the actor for the rest. */
export const writesMax = 100;

export type World = {
  /** Definitions of the same group. */
  readonly others: readonly CustomResourceDefinition[];
  /** Objects of its kind, while it is being deleted. */
  readonly content: readonly StoredObject[];
};

/**
 * Judges anew whether a definition's names are its own, which admission has judged when it was written
 * and another one may have given up since; empties its kind when it is being deleted, then lets it go.
 */
export function decide(
  self: CustomResourceDefinition,
  { others, content }: World,
  now: number,
): Decision<StoredObject, CustomResourceDefinition> {
  const rest = { wakeAt: undefined, events: [] };
  if (self.metadata.deletionTimestamp === undefined) {
    const status = definitionStatus(self, others, timeOf(now));
    return { ...rest, writes: [], status: dequal(status, self.status) ? self.status : status };
  }
  const doomed = content.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const { finalizers = [] } = self.metadata;
  const kept = finalizers.filter((one) => one !== cleanupFinalizer);
  const lets = content.length === 0 && kept.length < finalizers.length;
  return {
    ...rest,
    writes: doomed.slice(0, writesMax).map((object) => remove(object)),
    status: self.status,
    self: lets ? update({ ...self, metadata: { ...self.metadata, finalizers: kept } }) : undefined,
  };
}

/** Its group's definitions concern each other; its objects concern one that is going. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const object = after ?? before;
  if (object === undefined) return;
  const group = object.apiVersion.split("/")[0];
  for (const one of view.list(customResourceDefinition)) {
    const isGoing = one.metadata.deletionTimestamp !== undefined && one.spec.group === group;
    if (isGoing && one.spec.names.kind === object.kind) yield actorName(one.metadata);
  }
  if (object.kind !== customResourceDefinition.kind) return;
  const { spec } = object as CustomResourceDefinition; // Its kind says so.
  for (const one of view.list(customResourceDefinition))
    if (one.spec.group === spec.group) yield actorName(one.metadata);
}

export const customResourceDefinitions = controller({
  kind: customResourceDefinition,
  owns: [],
  alsoOwns: customResourcesIn,
  read(view, self): World {
    const { name, deletionTimestamp } = self.metadata;
    const others = view
      .list(customResourceDefinition)
      .filter((one) => one.spec.group === self.spec.group);
    const kind = customResourcesIn(view).find(({ custom }) => custom?.definition.name === name);
    const ending = deletionTimestamp !== undefined && kind !== undefined;
    return {
      others,
      content: ending ? (view.list(kind) as readonly StoredObject[]) : [], // Every object has metadata.
    };
  },
  decide: decide as never, // The registry forgets the kinds' types.
  concerns,
});
