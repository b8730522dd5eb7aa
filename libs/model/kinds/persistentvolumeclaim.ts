import { dequal } from "dequal";
import type * as z from "zod";
import type { Cause } from "../errors.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { accessText, claimSpec, claimStatus } from "../volume-claim.ts";

export const persistentVolumeClaim = defineKind({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  short: ["pvc"],
  namespaced: true,
  description: "Asks for storage that outlives pods.",
  spec: claimSpec,
  status: claimStatus,
  validateUpdate: ({ spec: before }, { spec: after }) => [
    ...fixedCauses(before, after),
    ...((before.volumeName ?? "") !== "" && after.volumeName !== before.volumeName
      ? [forbidden("spec.volumeName", "field is immutable once set")]
      : []),
  ],
  columns: [
    {
      name: "Status",
      type: "string",
      read: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status?.phase ?? "Pending") : "Terminating",
    },
    { name: "Volume", type: "string", read: ({ spec }) => spec.volumeName ?? "" },
    { name: "Capacity", type: "string", read: ({ status }) => status?.capacity?.["storage"] ?? "" },
    { name: "Access Modes", type: "string", read: ({ status }) => accessText(status?.accessModes) },
    { name: "StorageClass", type: "string", read: ({ spec }) => spec.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      type: "string",
      read: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    { name: "VolumeMode", type: "string", priority: 1, read: ({ spec }) => spec.volumeMode },
  ],
});
export type PersistentVolumeClaim = ObjectOf<typeof persistentVolumeClaim>;
type Spec = z.output<typeof claimSpec>;

const forbidden = (field: string, detail: string): Cause => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${detail}`,
});

/** All but the size, and what the cluster itself fills in. */
function fixedCauses(before: Spec, after: Spec): readonly Cause[] {
  const fixed = ({ accessModes, selector, volumeMode, dataSource, dataSourceRef }: Spec) => ({
    accessModes,
    selector,
    volumeMode,
    dataSource,
    dataSourceRef,
  });
  const moved =
    before.storageClassName !== undefined && after.storageClassName !== before.storageClassName;
  if (!moved && dequal(fixed(before), fixed(after))) return [];
  const detail =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  return [forbidden("spec", detail)];
}
