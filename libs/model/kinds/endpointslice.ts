import * as z from "zod";
import { atomicList, int32, stringMap } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { objectReference } from "../references.ts";

const named = (title: string) =>
  z.strictObject({ name: z.string().meta({ proto: 1 }) }).meta({ title });

const conditions = z
  .strictObject({
    ready: z.boolean().optional().meta({ proto: 1, description: "Takes new connections." }),
    serving: z
      .boolean()
      .optional()
      .meta({ proto: 2, description: "As ready, whether or not it is terminating." }),
    terminating: z.boolean().optional().meta({ proto: 3 }),
  })
  .meta({ title: "discovery.v1.EndpointConditions" });

const endpoint = z
  .strictObject({
    addresses: z
      .array(z.string())
      .min(1, "Required value: must contain at least one address")
      .max(100)
      .meta({ proto: 1, "x-kubernetes-list-type": "set" }),
    conditions: conditions.prefault({}).meta({ proto: 2 }),
    hostname: z.string().optional().meta({ proto: 3 }),
    targetRef: objectReference.optional().meta({ proto: 4 }),
    deprecatedTopology: stringMap.optional().meta({ proto: 5 }),
    nodeName: z.string().optional().meta({ proto: 6 }),
    zone: z.string().optional().meta({ proto: 7 }),
    hints: z
      .strictObject({
        forZones: z
          .array(named("discovery.v1.ForZone"))
          .optional()
          .meta({ proto: 1, ...atomicList }),
        forNodes: z
          .array(named("discovery.v1.ForNode"))
          .optional()
          .meta({ proto: 2, ...atomicList }),
      })
      .meta({ title: "discovery.v1.EndpointHints" })
      .optional()
      .meta({ proto: 8 }),
  })
  .meta({ title: "discovery.v1.Endpoint" });
export type Endpoint = z.output<typeof endpoint>;

const endpointPort = z
  .strictObject({
    name: z.string().default("").meta({ proto: 1 }),
    protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").meta({ proto: 2 }),
    port: int32
      .min(1)
      .max(65_535)
      .optional()
      .meta({ proto: 3, description: "All ports when absent." }),
    appProtocol: z.string().optional().meta({ proto: 4 }),
  })
  .meta({ title: "discovery.v1.EndpointPort" });
export type EndpointPort = z.output<typeof endpointPort>;

const fields = {
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]).meta({ proto: 4 }),
  endpoints: z
    .array(endpoint)
    .max(1_000)
    .default([])
    .meta({ proto: 2, ...atomicList }),
  ports: z
    .array(endpointPort)
    .max(100)
    .default([])
    .meta({ proto: 3, ...atomicList }),
};

export const endpointSlice = defineKind({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
  description: "Addresses that serve a Service.",
  fields,
  validateUpdate: (before, after) =>
    before.addressType === after.addressType
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "addressType",
            message: `Invalid value: "${after.addressType}": field is immutable`,
          },
        ],
  columns: [
    { name: "AddressType", type: "string", read: ({ addressType }) => addressType },
    {
      name: "Ports",
      type: "string",
      read: ({ ports }) =>
        shortList(
          ports.map(({ port }) => (port === undefined ? "*" : String(port))),
          "<unset>",
        ),
    },
    {
      name: "Endpoints",
      type: "string",
      read: ({ endpoints }) =>
        shortList(
          endpoints.flatMap(({ addresses }) => addresses),
          "<unset>",
        ),
    },
  ],
});
export type EndpointSlice = ObjectOf<typeof endpointSlice>;

const shownMax = 3;

/** The first few, and how many more there are. */
function shortList(values: readonly string[], none: string): string {
  if (values.length === 0) return none;
  const shown = values.slice(0, shownMax).join(",");
  return values.length <= shownMax ? shown : `${shown} + ${values.length - shownMax} more...`;
}
