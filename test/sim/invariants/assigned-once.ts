import { assignKey } from "../../../libs/cluster/key.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectsIn, type State } from "../state.ts";

/** Every bound pod has its assignment, on its node alone, and every assignment its pod (S1, B1). */
export const assignedOnce = invariant("assigned-once", () => misassigned);

function* misassigned(state: State): Iterable<string> {
  const touched = [...state.changes.keys()].some((key) => key.startsWith("assign."));
  if (!touched && [...changesOf(state, pod)].length === 0) return;
  const bound = new Map<string, string>();
  for (const { metadata, spec } of objectsIn(state, pod)) {
    if (spec.nodeName === undefined || spec.nodeName === "") continue;
    bound.set(assignKey(spec.nodeName, metadata.namespace, metadata.name), metadata.uid);
  }
  for (const [key, value] of state.keys) {
    if (!key.startsWith("assign.")) continue;
    // Admission wrote it as an assignment.
    const { uid } = value as { readonly uid: string };
    if (bound.get(key) !== uid) yield `${key} is assigned, and no such pod is bound there`;
    bound.delete(key);
  }
  for (const key of bound.keys()) yield `${key} is not assigned, and its pod is bound there`;
}
