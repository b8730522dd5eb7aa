/** How objects name one another. */
import * as z from "zod";

export const localObjectReference = z
  .strictObject({ name: z.string().default("").meta({ proto: 1 }) })
  .meta({ title: "core.v1.LocalObjectReference", "x-kubernetes-map-type": "atomic" });

/** Something of any kind in the same namespace. */
export const typedLocalObjectReference = z
  .strictObject({
    apiGroup: z.string().optional().meta({ proto: 1 }),
    kind: z.string().min(1, "Required value").meta({ proto: 2 }),
    name: z.string().min(1, "Required value").meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.TypedLocalObjectReference", "x-kubernetes-map-type": "atomic" });

/** A Secret of a namespace. */
export const secretReference = z
  .strictObject({
    name: z.string().optional().meta({ proto: 1 }),
    namespace: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.SecretReference", "x-kubernetes-map-type": "atomic" });

export const objectReference = z
  .strictObject({
    kind: z.string().optional().meta({ proto: 1 }),
    namespace: z.string().optional().meta({ proto: 2 }),
    name: z.string().optional().meta({ proto: 3 }),
    uid: z.string().optional().meta({ proto: 4 }),
    apiVersion: z.string().optional().meta({ proto: 5 }),
    resourceVersion: z.string().optional().meta({ proto: 6 }),
    fieldPath: z.string().optional().meta({ proto: 7 }),
  })
  .meta({ title: "core.v1.ObjectReference", "x-kubernetes-map-type": "atomic" });
