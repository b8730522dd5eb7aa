import { dequal } from "dequal";
import * as z from "zod";
import { defineKind, type ObjectOf } from "../kind.ts";
import { persistentVolumeSpec, volumeSources } from "../storage/volume-spec.ts";
import { time } from "../time.ts";
import { accessText } from "../volume-claim.ts";

const status = z
  .strictObject({
    phase: z
      .enum(["Pending", "Available", "Bound", "Released", "Failed"])
      .optional()
      .meta({ proto: 1 }),
    message: z.string().optional().meta({ proto: 2 }),
    reason: z.string().optional().meta({ proto: 3 }),
    lastPhaseTransitionTime: time.optional().meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.PersistentVolumeStatus" });

export const persistentVolume = defineKind({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  short: ["pv"],
  namespaced: false,
  description: "Storage that a claim can be bound to.",
  spec: persistentVolumeSpec,
  status,
  validate: ({ spec }) => [
    ...(spec.capacity["storage"] === undefined
      ? [
          {
            reason: "FieldValueRequired",
            field: "spec.capacity.storage",
            message: "Required value",
          },
        ]
      : []),
    ...(spec.local !== undefined && spec.nodeAffinity?.required === undefined
      ? [
          {
            reason: "FieldValueRequired",
            field: "spec.nodeAffinity",
            message: "Required value: Local volume requires node affinity",
          },
        ]
      : []),
  ],
  validateUpdate: ({ spec: before }, { spec: after }) =>
    volumeSources.every((source) => dequal(before[source], after[source]))
      ? []
      : [
          {
            reason: "FieldValueForbidden",
            field: "spec.persistentvolumesource",
            message: "Forbidden: spec.persistentvolumesource is immutable after creation",
          },
        ],
  columns: [
    { name: "Capacity", type: "string", read: ({ spec }) => spec.capacity["storage"] ?? "" },
    { name: "Access Modes", type: "string", read: ({ spec }) => accessText(spec.accessModes) },
    {
      name: "Reclaim Policy",
      type: "string",
      read: ({ spec }) => spec.persistentVolumeReclaimPolicy,
    },
    {
      name: "Status",
      type: "string",
      read: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status?.phase ?? "Pending") : "Terminating",
    },
    {
      name: "Claim",
      type: "string",
      read: ({ spec: { claimRef } }) =>
        claimRef === undefined ? "" : `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`,
    },
    { name: "StorageClass", type: "string", read: ({ spec }) => spec.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      type: "string",
      read: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    { name: "Reason", type: "string", read: ({ status }) => status?.reason ?? "" },
    { name: "VolumeMode", type: "string", priority: 1, read: ({ spec }) => spec.volumeMode },
  ],
});
export type PersistentVolume = ObjectOf<typeof persistentVolume>;
