import { isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import { atomicList, port } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { problem } from "../problem.ts";
import { objectReference } from "../references.ts";

/** Addresses that only their own machine reaches. */
const special = [
  { within: (ip: string) => ip === "0.0.0.0" || ip === "::", name: "unspecified" },
  {
    within: (ip: string) => ip.startsWith("127.") || ip === "::1",
    name: "in the loopback range (127.0.0.0/8, ::1/128)",
  },
  {
    within: (ip: string) => ip.startsWith("169.254.") || /^fe[89ab]/i.test(ip),
    name: "in the link-local range (169.254.0.0/16, fe80::/10)",
  },
] as const;

const address = z
  .strictObject({
    ip: z.string().meta({ proto: 1 }),
    hostname: z.string().optional().meta({ proto: 3 }),
    nodeName: z.string().optional().meta({ proto: 4 }),
    targetRef: objectReference.optional().meta({ proto: 2 }),
  })
  .superRefine(({ ip }, context) => {
    const shown = JSON.stringify(ip);
    if (!isIPv4(ip) && !isIPv6(ip)) {
      const detail = `${shown}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`;
      context.addIssue(problem("FieldValueInvalid", ["ip"], detail));
    }
    for (const { within, name } of special) {
      if (within(ip)) {
        context.addIssue(problem("FieldValueInvalid", ["ip"], `${shown}: may not be ${name}`));
      }
    }
  })
  .meta({ title: "core.v1.EndpointAddress", "x-kubernetes-map-type": "atomic" });
export type EndpointAddress = z.output<typeof address>;

const subset = z
  .strictObject({
    addresses: z
      .array(address)
      .optional()
      .meta({ proto: 1, ...atomicList, description: "Those that are ready." }),
    notReadyAddresses: z
      .array(address)
      .optional()
      .meta({ proto: 2, ...atomicList }),
    ports: z
      .array(
        z
          .strictObject({
            name: z.string().optional().meta({ proto: 1 }),
            port: port.meta({ proto: 2 }),
            protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").meta({ proto: 3 }),
            appProtocol: z.string().optional().meta({ proto: 4 }),
          })
          .meta({ title: "core.v1.EndpointPort", "x-kubernetes-map-type": "atomic" }),
      )
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .superRefine(({ addresses = [], notReadyAddresses = [], ports = [] }, context) => {
    if (addresses.length + notReadyAddresses.length === 0) {
      const detail = "must specify `addresses` or `notReadyAddresses`";
      context.addIssue(problem("FieldValueRequired", [], detail));
    }
    for (const [nth, { name = "" }] of ports.entries()) {
      if (ports.length < 2 || name !== "") continue;
      context.addIssue(problem("FieldValueRequired", ["ports", nth, "name"], ""));
    }
  })
  .meta({ title: "core.v1.EndpointSubset" });
export type EndpointSubset = z.output<typeof subset>;

export const endpoints = defineKind({
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  short: ["ep"],
  namespaced: true,
  description: "Addresses that serve the Service of the same name; EndpointSlices say it better.",
  fields: {
    subsets: z
      .array(subset)
      .optional()
      .meta({ proto: 2, ...atomicList }),
  },
  columns: [{ name: "Endpoints", type: "string", read: ({ subsets }) => shown(subsets) }],
});
export type Endpoints = ObjectOf<typeof endpoints>;

const shownMax = 3;

/** `10.0.0.1:80,10.0.0.2:80 + 1 more...`, as kubectl shows it. */
function shown(subsets: readonly EndpointSubset[] = []): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port: number }) => addresses.map(({ ip }) => hostPort(ip, number))),
  );
  if (all.length === 0) return "<none>";
  const first = all.slice(0, shownMax).join(",");
  return all.length <= shownMax ? first : `${first} + ${all.length - shownMax} more...`;
}

const hostPort = (ip: string, number: number) =>
  isIPv6(ip) ? `[${ip}]:${number}` : `${ip}:${number}`;
