import * as z from "zod";
import { atomicList, int32, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { refuseDuplicates } from "../problem.ts";

const driver = z
  .strictObject({
    name: z.string().min(1, "Required value").meta({ proto: 1 }),
    nodeID: z
      .string()
      .min(1, "Required value")
      .meta({ proto: 2, description: "The node, as the driver calls it." }),
    topologyKeys: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList }),
    allocatable: z
      .strictObject({
        count: int32.min(0).optional().meta({ proto: 1, description: "Volumes that it can have." }),
      })
      .meta({ title: "storage.v1.VolumeNodeResources" })
      .optional()
      .meta({ proto: 4 }),
  })
  .meta({ title: "storage.v1.CSINodeDriver" });

const spec = z
  .strictObject({ drivers: z.array(driver).meta({ proto: 1, ...mergeBy("name") }) })
  .superRefine(({ drivers }, context) =>
    refuseDuplicates(
      context,
      drivers.map(({ name }, nth) => ({ at: ["drivers", nth, "name"], value: name })),
    ),
  )
  .meta({ title: "storage.v1.CSINodeSpec" });

export const csiNode = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  namespaced: false,
  description: "The storage drivers of the node of the same name.",
  spec,
  columns: [{ name: "Drivers", type: "integer", read: ({ spec: { drivers } }) => drivers.length }],
});
export type CsiNode = ObjectOf<typeof csiNode>;
