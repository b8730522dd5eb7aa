import { storageClass } from "../../../libs/model/kinds/storageclass.ts";
import { asDefault } from "../../../libs/model/storage/class.ts";
import { hostPathProvisioner } from "../../../libs/model/storage/host-path.ts";
import { controller, type Newborn } from "../controller.ts";

/** It is there without being asked for. To have another default, say of it that it is none. */
const standing = "berth-local";

export const storageClasses = controller({
  kind: storageClass,
  owns: [],
  read: () => undefined,
  decide: () => ({ writes: [], status: undefined, wakeAt: undefined, events: [] }),
  missing: {
    names: [standing],
    make: (name) =>
      name === standing
        ? ({
            apiVersion: "storage.k8s.io/v1",
            kind: "StorageClass",
            metadata: { name, annotations: asDefault },
            provisioner: hostPathProvisioner,
            reclaimPolicy: "Delete",
            volumeBindingMode: "WaitForFirstConsumer",
          } as Newborn)
        : undefined,
  },
});
