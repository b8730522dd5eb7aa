import { node } from "../../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { claimNamesOf } from "../../../libs/model/pod/claim-refs.ts";
import { isBound, selectedNode, volumeNameOf } from "../../../libs/model/storage/binding.ts";
import { reaches } from "../../../libs/model/storage/match.ts";
import { invariant } from "../invariant.ts";
import { changesOf, objectIn, objectsIn, type State, touches } from "../state.ts";

/** No volume has two claims, and both sides of a binding say the same (S2). */
export const volumesOnce = invariant("volumes-once", () => shared);

function* shared(state: State): Iterable<string> {
  if (!touches(state, persistentVolume, persistentVolumeClaim)) return;
  const taken = new Map<string, string>();
  for (const claim of objectsIn(state, persistentVolumeClaim)) {
    if (!isBound(claim)) continue;
    const { name, namespace, uid } = claim.metadata;
    const volumeName = volumeNameOf(claim);
    const other = taken.get(volumeName);
    if (other !== undefined) yield `${namespace}/${name} and ${other} have ${volumeName}`;
    taken.set(volumeName, `${namespace}/${name}`);
    const volume = objectIn(state, persistentVolume, undefined, volumeName);
    if (volume?.spec.claimRef?.uid !== uid)
      yield `${namespace}/${name} has ${volumeName}, which is not its own`;
  }
}

/** A pod is bound to a node that reaches the volumes of its claims; or the claim says the node by then. */
export const boundWhereVolumesAre = invariant(
  "bound-where-volumes-are",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        const { nodeName = "" } = after?.spec ?? {};
        if (after === undefined || before === undefined || nodeName === "") continue;
        if ((before.spec.nodeName ?? "") !== "") continue;
        const home = objectIn(state, node, undefined, nodeName);
        for (const name of claimNamesOf(after.spec)) {
          const claim = objectIn(state, persistentVolumeClaim, after.metadata.namespace, name);
          if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue;
          const volume = objectIn(state, persistentVolume, undefined, volumeNameOf(claim));
          const labels = home?.metadata.labels ?? {};
          const isThere = isBound(claim)
            ? volume !== undefined && reaches(volume, { name: nodeName, labels })
            : claim.metadata.annotations?.[selectedNode] === nodeName;
          if (!isThere) yield `${key} is bound to ${nodeName}, where its claim ${name} is not`;
        }
      }
    },
);
