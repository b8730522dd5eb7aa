import { dequal } from "dequal";
import * as z from "zod";
import { int32, stringMap } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { problem } from "../problem.ts";
import { persistentVolumeSpec } from "../storage/volume-spec.ts";
import { time } from "../time.ts";

const spec = z
  .strictObject({
    attacher: z.string().min(1, "Required value").meta({ proto: 1 }),
    source: z
      .strictObject({
        persistentVolumeName: z.string().optional().meta({ proto: 1 }),
        inlineVolumeSpec: persistentVolumeSpec.optional().meta({ proto: 2 }),
      })
      .superRefine(({ persistentVolumeName: name = "", inlineVolumeSpec }, context) => {
        if (inlineVolumeSpec === undefined && name === "") {
          const detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
          context.addIssue(problem("FieldValueRequired", [], detail));
        }
        if (inlineVolumeSpec !== undefined && name !== "") {
          const detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
          context.addIssue(problem("FieldValueForbidden", [], detail));
        }
      })
      .meta({ title: "storage.v1.VolumeAttachmentSource" })
      .meta({ proto: 2 }),
    nodeName: z.string().min(1, "Required value").meta({ proto: 3 }),
  })
  .meta({ title: "storage.v1.VolumeAttachmentSpec" });

const error = z
  .strictObject({
    time: time.optional().meta({ proto: 1 }),
    message: z.string().optional().meta({ proto: 2 }),
    errorCode: int32.optional().meta({ proto: 3 }),
  })
  .meta({ title: "storage.v1.VolumeError" });

const status = z
  .strictObject({
    attached: z.boolean().default(false).meta({ proto: 1 }),
    attachmentMetadata: stringMap.optional().meta({ proto: 2 }),
    attachError: error.optional().meta({ proto: 3 }),
    detachError: error.optional().meta({ proto: 4 }),
  })
  .meta({ title: "storage.v1.VolumeAttachmentStatus" });

export const volumeAttachment = defineKind({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  namespaced: false,
  description: "That a volume is to be attached to a node, by a driver.",
  spec,
  status,
  validateUpdate: ({ spec: before }, { spec: after }) =>
    dequal(before, after)
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "spec",
            message: "Invalid value: field is immutable",
          },
        ],
  columns: [
    { name: "Attacher", type: "string", read: (one) => one.spec.attacher },
    { name: "PV", type: "string", read: (one) => one.spec.source.persistentVolumeName ?? "" },
    { name: "Node", type: "string", read: (one) => one.spec.nodeName },
    { name: "Attached", type: "boolean", read: (one) => one.status?.attached ?? false },
  ],
});
export type VolumeAttachment = ObjectOf<typeof volumeAttachment>;
