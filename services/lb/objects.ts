/** What the lb reads of Services and EndpointSlices; whatever else they hold is not its business. */
import * as z from "zod";

const protocol = z.enum(["TCP", "UDP", "SCTP"]).default("TCP");
const port = z.int().min(1).max(65_535);

const serviceObject = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    creationTimestamp: z.string().default(""),
  }),
  spec: z.object({
    type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).default("ClusterIP"),
    /** `None`: headless. */
    clusterIP: z.string().optional(),
    externalIPs: z.array(z.string()).default([]),
    externalName: z.string().optional(),
    ports: z
      .array(
        z.object({
          name: z.string().default(""),
          protocol,
          port,
          nodePort: z.int().min(0).max(65_535).optional(),
        }),
      )
      .default([]),
    sessionAffinity: z.enum(["None", "ClientIP"]).default("None"),
    sessionAffinityConfig: z
      .object({
        clientIP: z
          .object({ timeoutSeconds: z.int().min(1).max(86_400).default(10_800) })
          .optional(),
      })
      .optional(),
    externalTrafficPolicy: z.enum(["Cluster", "Local"]).default("Cluster"),
    internalTrafficPolicy: z.enum(["Cluster", "Local"]).default("Cluster"),
  }),
});
export type ServiceObject = z.output<typeof serviceObject>;

const sliceObject = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  addressType: z.string(),
  ports: z
    .array(z.object({ name: z.string().default(""), protocol, port: port.optional() }))
    .nullish()
    .transform((ports) => ports ?? []),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z
          .object({
            ready: z.boolean().nullish(),
            serving: z.boolean().nullish(),
            terminating: z.boolean().nullish(),
          })
          .default({}),
        hostname: z.string().optional(),
        nodeName: z.string().optional(),
      }),
    )
    .nullish()
    .transform((endpoints) => endpoints ?? []),
});
export type SliceObject = z.output<typeof sliceObject>;
export type Endpoint = SliceObject["endpoints"][number];

/** The object as the lb needs it; undefined when it cannot be one, which leaves it unrouted. */
export const parseService = (object: unknown): ServiceObject | undefined =>
  serviceObject.safeParse(object).data;
export const parseSlice = (object: unknown): SliceObject | undefined =>
  sliceObject.safeParse(object).data;

/** The label that names a slice's Service. */
export const serviceNameLabel = "kubernetes.io/service-name";
