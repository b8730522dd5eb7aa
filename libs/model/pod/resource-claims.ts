/** Claims to devices: kept as they are written; no node of ours has devices to allocate. */
import * as z from "zod";
import { atomicList, mergeBy, setList } from "../field.ts";
import { dnsLabel } from "../names.ts";
import { resourceList } from "../quantity.ts";

const byName = {
  ...mergeBy("name"),
  "x-kubernetes-patch-strategy": "merge,retainKeys",
} as const;

export const resourceClaims = z
  .array(
    z
      .strictObject({
        name: dnsLabel.meta({ proto: 1 }),
        resourceClaimName: z.string().optional().meta({ proto: 3 }),
        resourceClaimTemplateName: z.string().optional().meta({ proto: 4 }),
      })
      .meta({ title: "core.v1.PodResourceClaim" }),
  )
  .optional()
  .meta({ proto: 39, ...byName });

const requestMapping = z
  .strictObject({
    containerName: z.string().meta({ proto: 1 }),
    resourceName: z.string().meta({ proto: 2 }),
    requestName: z.string().meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.ContainerExtendedResourceRequest" });

/** What a pod's status says of them. */
export const resourceClaimStatuses = {
  resourceClaimStatuses: z
    .array(
      z
        .strictObject({
          name: z.string().meta({ proto: 1 }),
          resourceClaimName: z.string().optional().meta({ proto: 2 }),
        })
        .meta({ title: "core.v1.PodResourceClaimStatus" }),
    )
    .optional()
    .meta({ proto: 15, ...byName }),
  extendedResourceClaimStatus: z
    .strictObject({
      requestMappings: z.array(requestMapping).meta({ proto: 1, ...atomicList }),
      resourceClaimName: z.string().meta({ proto: 2 }),
    })
    .meta({ title: "core.v1.PodExtendedResourceClaimStatus" })
    .optional()
    .meta({ proto: 18 }),
  nodeAllocatableResourceClaimStatuses: z
    .array(
      z
        .strictObject({
          resourceClaimName: z.string().meta({ proto: 1 }),
          containers: z
            .array(z.string())
            .optional()
            .meta({ proto: 2, ...setList }),
          resources: resourceList.meta({ proto: 3 }),
        })
        .meta({ title: "core.v1.NodeAllocatableResourceClaimStatus" }),
    )
    .optional()
    .meta({ proto: 21, ...atomicList }),
};
