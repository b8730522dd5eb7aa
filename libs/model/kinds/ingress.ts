import { isIP } from "node:net";
import * as z from "zod";
import { atomicList, int32 } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { dnsSubdomain, wildcardSubdomain } from "../names.ts";
import { httpRule, ingressBackend } from "../networking/backend.ts";
import { problem } from "../problem.ts";

/** Of `host`, or of a TLS host. */
const host = z.string().superRefine((text, context) => {
  if (text === "") return;
  if (isIP(text) !== 0) {
    const detail = `${JSON.stringify(text)}: must be a DNS name, not an IP address`;
    context.addIssue(problem("FieldValueInvalid", [], detail));
    return;
  }
  const form = text.includes("*") ? wildcardSubdomain : dnsSubdomain;
  const [fault] = form.safeParse(text).error?.issues ?? [];
  if (fault !== undefined) context.addIssue({ ...fault, path: [] });
});

const rule = z
  .strictObject({
    host: host.optional().meta({ proto: 1, description: "Absent: every host." }),
    http: httpRule.optional().meta({ proto: [2, 1] }),
  })
  .meta({ title: "networking.v1.IngressRule" });

const tls = z
  .strictObject({
    hosts: z
      .array(host)
      .optional()
      .meta({ proto: 1, ...atomicList }),
    secretName: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "networking.v1.IngressTLS" });

const spec = z
  .strictObject({
    ingressClassName: dnsSubdomain
      .optional()
      .meta({ proto: 4, description: "Who serves it; of the default class when absent." }),
    defaultBackend: ingressBackend
      .optional()
      .meta({ proto: 1, description: "Where requests go that no rule matches." }),
    tls: z
      .array(tls)
      .optional()
      .meta({ proto: 2, ...atomicList }),
    rules: z
      .array(rule)
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .superRefine(({ rules = [], defaultBackend }, context) => {
    if (rules.length > 0 || defaultBackend !== undefined) return;
    const detail = "[]: either `defaultBackend` or `rules` must be specified";
    context.addIssue(problem("FieldValueInvalid", [], detail));
  })
  .meta({ title: "networking.v1.IngressSpec" });

const point = z
  .strictObject({
    ip: z.string().optional().meta({ proto: 1 }),
    hostname: z.string().optional().meta({ proto: 2 }),
    ports: z
      .array(
        z
          .strictObject({
            port: int32.meta({ proto: 1 }),
            protocol: z.enum(["SCTP", "TCP", "UDP"]).meta({ proto: 2 }),
            error: z.string().optional().meta({ proto: 3 }),
          })
          .meta({ title: "networking.v1.IngressPortStatus" }),
      )
      .optional()
      .meta({ proto: 4, ...atomicList }),
  })
  .meta({ title: "networking.v1.IngressLoadBalancerIngress" });

const status = z
  .strictObject({
    loadBalancer: z
      .strictObject({
        ingress: z
          .array(point)
          .optional()
          .meta({ proto: 1, ...atomicList }),
      })
      .meta({ title: "networking.v1.IngressLoadBalancerStatus" })
      .prefault({})
      .meta({ proto: 1 }),
  })
  .meta({ title: "networking.v1.IngressStatus" });

export const ingress = defineKind({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  short: ["ing"],
  namespaced: true,
  description: "How requests from outside reach Services, by host and path.",
  spec: spec.prefault({}),
  status,
  columns: [
    { name: "Class", type: "string", read: ({ spec }) => spec.ingressClassName ?? "<none>" },
    { name: "Hosts", type: "string", read: ({ spec }) => hostsText(spec.rules) },
    { name: "Address", type: "string", read: ({ status: at }) => addressText(at) },
    {
      name: "Ports",
      type: "string",
      read: ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80"),
    },
  ],
});
export type Ingress = ObjectOf<typeof ingress>;

const hostsMax = 3;

function hostsText(rules: readonly z.output<typeof rule>[] = []): string {
  const hosts = rules.slice(0, hostsMax).flatMap(({ host: one = "" }) => (one === "" ? [] : [one]));
  if (hosts.length === 0) return "*";
  const more = rules.length > hostsMax ? ` + ${rules.length - hostsMax} more...` : "";
  return `${hosts.join(",")}${more}`;
}

function addressText(at: z.output<typeof status> | undefined): string {
  const points = at?.loadBalancer.ingress ?? [];
  const names = points.flatMap(({ ip = "", hostname = "" }) => (ip === "" ? hostname : ip));
  return [...new Set(names.filter((name) => name !== ""))].toSorted().join(",");
}
