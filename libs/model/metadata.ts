import * as z from "zod";
import { mergeBy } from "./field.ts";
import { dnsLabel, labelKey, labelValue } from "./names.ts";
import { time } from "./time.ts";

export const labels = z.record(labelKey, labelValue);

const annotationsBytesMax = 256 * 1_024;
export const annotations = z.record(labelKey, z.string()).refine((all) => {
  const size = Object.entries(all).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0,
  );
  return size <= annotationsBytesMax;
}, `Too long: may not be more than ${annotationsBytesMax} bytes`);

const ownerReference = z
  .strictObject({
    apiVersion: z.string().min(1).meta({ proto: 5 }),
    kind: z.string().min(1).meta({ proto: 1 }),
    name: z.string().min(1).meta({ proto: 3 }),
    uid: z.string().min(1).meta({ proto: 4 }),
    controller: z
      .boolean()
      .optional()
      .meta({ proto: 6, description: "Whether it manages the object." }),
    blockOwnerDeletion: z.boolean().optional().meta({ proto: 7 }),
  })
  .meta({ title: "meta.v1.OwnerReference", "x-kubernetes-map-type": "atomic" });

const managedFieldsEntry = z
  .strictObject({
    manager: z.string().optional().meta({ proto: 1 }),
    operation: z.enum(["Apply", "Update"]).optional().meta({ proto: 2 }),
    apiVersion: z.string().optional().meta({ proto: 3 }),
    time: time.optional().meta({ proto: 4 }),
    fieldsType: z.string().optional().meta({ proto: 6 }),
    fieldsV1: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ proto: 7, title: "meta.v1.FieldsV1", format: "fields-v1" }),
    subresource: z.string().optional().meta({ proto: 8 }),
  })
  .meta({ title: "meta.v1.ManagedFieldsEntry" });

const fields = {
  generateName: z
    .string()
    .max(248)
    .optional()
    .meta({ proto: 2, description: "Beginning of a generated name, used when name is absent." }),
  selfLink: z.string().optional().meta({ proto: 4 }),
  uid: z
    .string()
    .default("")
    .meta({ proto: 5, description: "Unique in time and space; set by the cluster." }),
  resourceVersion: z
    .string()
    .optional()
    .meta({ proto: 6, description: "Revision at which the object was last written; opaque." }),
  generation: z
    .int()
    .optional()
    .meta({ proto: 7, format: "int64", description: "Rises with each change of the spec." }),
  creationTimestamp: time.optional().meta({ proto: 8 }),
  deletionTimestamp: time
    .optional()
    .meta({ proto: 9, description: "When the object, which is being deleted, is to be gone." }),
  deletionGracePeriodSeconds: z.int().optional().meta({ proto: 10, format: "int64" }),
  labels: labels.optional().meta({ proto: 11, description: "What selectors select by." }),
  annotations: annotations.optional().meta({ proto: 12 }),
  ownerReferences: z
    .array(ownerReference)
    .optional()
    .meta({
      proto: 13,
      ...mergeBy("uid"),
      description: "Objects that this one depends on; when all are gone, so is this one.",
    }),
  finalizers: z.array(labelKey).optional().meta({
    proto: 14,
    "x-kubernetes-list-type": "set",
    "x-kubernetes-patch-strategy": "merge",
    description: "What must be done before the object goes.",
  }),
  managedFields: z
    .array(managedFieldsEntry)
    .optional()
    .meta({ proto: 17, "x-kubernetes-list-type": "atomic" }),
};

const titled = { title: "meta.v1.ObjectMeta" };

/** Metadata of an object that lives in a namespace, with a name of the given form. */
export const namespacedMetadata = (name: z.ZodType<string>) =>
  z
    .strictObject({
      name: name.meta({ proto: 1 }),
      namespace: dnsLabel.default("default").meta({ proto: 3 }),
      ...fields,
    })
    .meta(titled);

/** Metadata of an object of the whole cluster: `namespace` must be absent or empty, and is dropped. */
export const clusterMetadata = (name: z.ZodType<string>) =>
  z
    .strictObject({
      name: name.meta({ proto: 1 }),
      namespace: z.literal("").optional().meta({ proto: 3 }),
      ...fields,
    })
    .overwrite(({ namespace: _none, ...rest }) => rest)
    .meta(titled);

/** Metadata of a template: no part of it is required. */
export const templateMetadata = z
  .strictObject({
    name: z.string().optional().meta({ proto: 1 }),
    namespace: z.string().optional().meta({ proto: 3 }),
    ...fields,
    uid: z.string().optional().meta({ proto: 5 }),
  })
  .meta(titled);

export type Metadata = Omit<z.output<ReturnType<typeof clusterMetadata>>, "namespace"> & {
  /** Absent: an object of the whole cluster. */
  namespace?: string | undefined;
};
