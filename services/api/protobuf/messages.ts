/** What is neither stored nor a kind of the registry, as messages: field numbers of Kubernetes. */
import * as z from "zod";
import { templateMetadata } from "../../../libs/model/metadata.ts";
import { scaleKind } from "../resources/scale.ts";
import { encodeMessage } from "./encode.ts";
import { sealed } from "./envelope.ts";
import { reviewMessages } from "./review-messages.ts";

const text = z.string().optional();
const texts = z.array(z.string()).optional();
const int32 = z.int().optional();

/** meta.v1.ListMeta. */
export const listMeta = z.object({
  resourceVersion: text.meta({ proto: 2 }),
  continue: text.meta({ proto: 3 }),
  remainingItemCount: int32.meta({ proto: 4 }),
});

const cause = z.object({
  reason: text.meta({ proto: 1 }),
  message: text.meta({ proto: 2 }),
  field: text.meta({ proto: 3 }),
});
const status = z.object({
  metadata: listMeta.optional().meta({ proto: 1 }),
  status: text.meta({ proto: 2 }),
  message: text.meta({ proto: 3 }),
  reason: text.meta({ proto: 4 }),
  details: z
    .object({
      name: text.meta({ proto: 1 }),
      group: text.meta({ proto: 2 }),
      kind: text.meta({ proto: 3 }),
      causes: z.array(cause).optional().meta({ proto: 4 }),
      retryAfterSeconds: int32.meta({ proto: 5 }),
      uid: text.meta({ proto: 6 }),
    })
    .optional()
    .meta({ proto: 5 }),
  code: int32.meta({ proto: 6 }),
});

const addresses = z
  .array(
    z.object({
      clientCIDR: text.meta({ proto: 1 }),
      serverAddress: text.meta({ proto: 2 }),
    }),
  )
  .optional();
const groupVersion = z.object({
  groupVersion: text.meta({ proto: 1 }),
  version: text.meta({ proto: 2 }),
});
const group = z.object({
  name: text.meta({ proto: 1 }),
  versions: z.array(groupVersion).optional().meta({ proto: 2 }),
  preferredVersion: groupVersion.optional().meta({ proto: 3 }),
  serverAddressByClientCIDRs: addresses.meta({ proto: 4 }),
});
const resource = z.object({
  name: text.meta({ proto: 1 }),
  namespaced: z.boolean().optional().meta({ proto: 2 }),
  kind: text.meta({ proto: 3 }),
  verbs: texts.meta({ proto: [4, 1] }),
  shortNames: texts.meta({ proto: 5 }),
  singularName: text.meta({ proto: 6 }),
  categories: texts.meta({ proto: 7 }),
  group: text.meta({ proto: 8 }),
  version: text.meta({ proto: 9 }),
  storageVersionHash: text.meta({ proto: 10 }),
});

const gvk = z.object({
  group: text.meta({ proto: 1 }),
  version: text.meta({ proto: 2 }),
  kind: text.meta({ proto: 3 }),
});
const subresourceDiscovery = z.object({
  subresource: text.meta({ proto: 1 }),
  responseKind: gvk.optional().meta({ proto: 2 }),
  acceptedTypes: z.array(gvk).optional().meta({ proto: 3 }),
  verbs: texts.meta({ proto: 4 }),
});
const resourceDiscovery = z.object({
  resource: text.meta({ proto: 1 }),
  responseKind: gvk.optional().meta({ proto: 2 }),
  scope: text.meta({ proto: 3 }),
  singularResource: text.meta({ proto: 4 }),
  verbs: texts.meta({ proto: 5 }),
  shortNames: texts.meta({ proto: 6 }),
  categories: texts.meta({ proto: 7 }),
  subresources: z.array(subresourceDiscovery).optional().meta({ proto: 8 }),
});
const versionDiscovery = z.object({
  version: text.meta({ proto: 1 }),
  resources: z.array(resourceDiscovery).optional().meta({ proto: 2 }),
  freshness: text.meta({ proto: 3 }),
});
const groupDiscoveryList = z.object({
  metadata: listMeta.optional().meta({ proto: 1 }),
  items: z
    .array(
      z.object({
        metadata: templateMetadata.meta({ proto: 1 }),
        versions: z.array(versionDiscovery).optional().meta({ proto: 2 }),
      }),
    )
    .meta({ proto: 2 }),
});

const messages: Readonly<Record<string, z.core.$ZodType>> = {
  "v1 Status": status,
  "v1 APIVersions": z.object({
    versions: texts.meta({ proto: 1 }),
    serverAddressByClientCIDRs: addresses.meta({ proto: 2 }),
  }),
  "v1 APIGroup": group,
  "v1 APIGroupList": z.object({ groups: z.array(group).meta({ proto: 1 }) }),
  "v1 APIResourceList": z.object({
    groupVersion: text.meta({ proto: 1 }),
    resources: z.array(resource).meta({ proto: 2 }),
  }),
  "apidiscovery.k8s.io/v2 APIGroupDiscoveryList": groupDiscoveryList,
  "apidiscovery.k8s.io/v2beta1 APIGroupDiscoveryList": groupDiscoveryList,
  "autoscaling/v1 Scale": scaleKind.schema,
  ...reviewMessages,
};

export const messageNamed = (apiVersion: string, kind: string): z.core.$ZodType | undefined =>
  messages[`${apiVersion} ${kind}`];

/** A value that says its kind, in its envelope; undefined when its kind has no protobuf here. */
export function sealedValue(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { apiVersion = "v1", kind } = value as { apiVersion?: unknown; kind?: unknown }; // Looked at with care.
  const schema = messageNamed(String(apiVersion), String(kind));
  if (schema === undefined) return undefined;
  return sealed(String(apiVersion), String(kind), [encodeMessage(schema, value)]);
}
