import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import { boundByController } from "../../../../libs/model/storage/binding.ts";

/** The volume without its claim: who kept it for the claim by name still does. */
export function letGo(self: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = self.spec;
  const { [boundByController]: byController, ...annotations } = self.metadata.annotations ?? {};
  if (byController === undefined) {
    const { uid: _uid, resourceVersion: _version, ...byName } = claimRef ?? {};
    return { ...self, spec: { ...spec, claimRef: byName } };
  }
  return { ...self, metadata: { ...self.metadata, annotations }, spec };
}
