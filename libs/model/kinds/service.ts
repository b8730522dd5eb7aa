import * as z from "zod";
import { condition } from "../condition.ts";
import type { Cause } from "../errors.ts";
import { atomicList, int32, mergeBy, port } from "../field.ts";
import { portReference } from "../int-or-string.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelsText } from "../label-selector.ts";
import { labels } from "../metadata.ts";
import { dns1035Label, dnsLabel } from "../names.ts";
import { problem, refuseDuplicates } from "../problem.ts";

const protocol = z.enum(["TCP", "UDP", "SCTP"]);

const servicePort = z
  .strictObject({
    name: dnsLabel.optional().meta({ proto: 1, description: "Required when there are several." }),
    protocol: protocol.default("TCP").meta({ proto: 2 }),
    appProtocol: z.string().optional().meta({ proto: 6 }),
    port: port.meta({ proto: 3, description: "Port of the Service." }),
    targetPort: portReference
      .optional()
      .meta({ proto: 4, description: "Port of its pods, by number or name; `port` when absent." }),
    nodePort: int32
      .min(0)
      .max(65_535)
      .optional()
      .meta({ proto: 5, description: "Port on every node, of type NodePort and LoadBalancer." }),
  })
  .overwrite((one) => ({ ...one, targetPort: one.targetPort ?? one.port }))
  .meta({ title: "core.v1.ServicePort" });
export type ServicePort = z.output<typeof servicePort>;

const clientIP = z
  .strictObject({ timeoutSeconds: int32.min(1).max(86_400).default(10_800).meta({ proto: 1 }) })
  .meta({ title: "core.v1.ClientIPConfig" });
const sessionAffinityConfig = z
  .strictObject({ clientIP: clientIP.prefault({}).meta({ proto: 1 }) })
  .meta({ title: "core.v1.SessionAffinityConfig" });
const affinityDefaults = sessionAffinityConfig.parse({});

const policy = z.enum(["Cluster", "Local"]);

const spec = z
  .strictObject({
    ports: z
      .array(servicePort)
      .optional()
      .meta({ proto: 1, ...mergeBy("port"), "x-kubernetes-list-map-keys": ["port", "protocol"] }),
    selector: labels.optional().meta({
      proto: 2,
      "x-kubernetes-map-type": "atomic",
      description: "Labels of the pods that serve it; without it, endpoints are yours to keep.",
    }),
    clusterIP: z
      .string()
      .optional()
      .meta({ proto: 3, description: "Its address; None: headless." }),
    clusterIPs: z
      .array(z.string())
      .max(2)
      .optional()
      .meta({ proto: 18, ...atomicList }),
    type: z
      .enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
      .default("ClusterIP")
      .meta({ proto: 4 }),
    externalIPs: z
      .array(z.string())
      .optional()
      .meta({ proto: 5, ...atomicList }),
    sessionAffinity: z.enum(["None", "ClientIP"]).default("None").meta({ proto: 7 }),
    loadBalancerIP: z.string().optional().meta({ proto: 8 }),
    loadBalancerSourceRanges: z
      .array(z.string())
      .optional()
      .meta({ proto: 9, ...atomicList }),
    externalName: z.string().optional().meta({ proto: 10 }),
    externalTrafficPolicy: policy.optional().meta({ proto: 11 }),
    healthCheckNodePort: int32.min(0).max(65_535).optional().meta({ proto: 12 }),
    publishNotReadyAddresses: z.boolean().optional().meta({ proto: 13 }),
    sessionAffinityConfig: sessionAffinityConfig.optional().meta({ proto: 14 }),
    ipFamilies: z
      .array(z.enum(["IPv4", "IPv6"]))
      .max(2)
      .optional()
      .meta({ proto: 19, ...atomicList }),
    ipFamilyPolicy: z
      .enum(["SingleStack", "PreferDualStack", "RequireDualStack"])
      .optional()
      .meta({ proto: 17 }),
    allocateLoadBalancerNodePorts: z.boolean().optional().meta({ proto: 20 }),
    loadBalancerClass: z.string().optional().meta({ proto: 21 }),
    internalTrafficPolicy: policy.optional().meta({ proto: 22 }),
    trafficDistribution: z.string().optional().meta({ proto: 23 }),
  })
  .superRefine(({ ports = [], type, clusterIP, externalName = "", ...rest }, context) => {
    if (type === "ExternalName") {
      if (externalName === "")
        context.addIssue(problem("FieldValueRequired", ["externalName"], ""));
      if (clusterIP === "None") {
        const detail = 'may not be set to "None" for ExternalName services';
        context.addIssue(problem("FieldValueInvalid", ["clusterIPs", 0], detail));
      }
      return;
    }
    if (ports.length === 0 && clusterIP !== "None") {
      context.addIssue(problem("FieldValueRequired", ["ports"], ""));
    }
    if (clusterIP === "None" && type !== "ClusterIP") {
      const detail = `may not be set to 'None' for ${type} services`;
      context.addIssue(problem("FieldValueInvalid", ["clusterIPs", 0], detail));
    }
    if (clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None" && !isIP(clusterIP)) {
      const detail = `${JSON.stringify(clusterIP)}: must be a valid IP address`;
      context.addIssue(problem("FieldValueInvalid", ["clusterIPs", 0], detail));
    }
    for (const [at, { name, nodePort }] of ports.entries()) {
      if (ports.length > 1 && name === undefined) {
        context.addIssue(problem("FieldValueRequired", ["ports", at, "name"], ""));
      }
      if (nodePort !== undefined && nodePort !== 0 && type === "ClusterIP") {
        const detail = "may not be used when `type` is 'ClusterIP'";
        context.addIssue(problem("FieldValueForbidden", ["ports", at, "nodePort"], detail));
      }
    }
    refuseDuplicates(
      context,
      ports.flatMap(({ name }, at) =>
        name === undefined ? [] : [{ at: ["ports", at, "name"], value: name }],
      ),
    );
    refuseDuplicates(
      context,
      ports.map((one, at) => ({ at: ["ports", at], value: `${one.protocol}/${one.port}` })),
    );
    if (
      rest.externalTrafficPolicy !== undefined &&
      type === "ClusterIP" &&
      rest.externalIPs === undefined
    ) {
      const detail = "may only be set for externally-accessible services";
      context.addIssue(problem("FieldValueInvalid", ["externalTrafficPolicy"], detail));
    }
  })
  .overwrite((one) => ({
    ...one,
    ...(one.sessionAffinity === "ClientIP" && {
      sessionAffinityConfig: one.sessionAffinityConfig ?? affinityDefaults,
    }),
    ...(one.type !== "ExternalName" && {
      internalTrafficPolicy: one.internalTrafficPolicy ?? ("Cluster" as const),
      ipFamilies: one.ipFamilies ?? ["IPv4" as const],
      ipFamilyPolicy: one.ipFamilyPolicy ?? ("SingleStack" as const),
    }),
    ...((one.type === "NodePort" || one.type === "LoadBalancer") && {
      externalTrafficPolicy: one.externalTrafficPolicy ?? ("Cluster" as const),
    }),
    ...(one.type === "LoadBalancer" && {
      allocateLoadBalancerNodePorts: one.allocateLoadBalancerNodePorts ?? true,
    }),
  }))
  .meta({ title: "core.v1.ServiceSpec" });

const ingress = z
  .strictObject({
    ip: z.string().optional().meta({ proto: 1 }),
    hostname: z.string().optional().meta({ proto: 2 }),
    ipMode: z.enum(["VIP", "Proxy"]).optional().meta({ proto: 3 }),
    ports: z
      .array(
        z
          .strictObject({
            port: port.meta({ proto: 1 }),
            protocol: protocol.meta({ proto: 2 }),
            error: z.string().optional().meta({ proto: 3 }),
          })
          .meta({ title: "core.v1.PortStatus" }),
      )
      .optional()
      .meta({ proto: 4, ...atomicList }),
  })
  .meta({ title: "core.v1.LoadBalancerIngress" });

const status = z
  .strictObject({
    loadBalancer: z
      .strictObject({
        ingress: z
          .array(ingress)
          .optional()
          .meta({ proto: 1, ...atomicList }),
      })
      .meta({ title: "core.v1.LoadBalancerStatus" })
      .prefault({})
      .meta({ proto: 1 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 2, ...mergeBy("type") }),
  })
  .meta({ title: "core.v1.ServiceStatus" });

export const service = defineKind({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  short: ["svc"],
  categories: ["all"],
  namespaced: true,
  description: "A stable name and address for pods.",
  name: dns1035Label,
  spec,
  status,
  validateUpdate: (before, after) => addressIsImmutable(before.spec, after.spec),
  columns: [
    { name: "Type", type: "string", read: ({ spec }) => spec.type },
    {
      name: "Cluster-IP",
      type: "string",
      read: ({ spec }) =>
        spec.clusterIP === undefined || spec.clusterIP === "" ? "<none>" : spec.clusterIP,
    },
    { name: "External-IP", type: "string", read: (one) => externalText(one.spec, one.status) },
    { name: "Port(s)", type: "string", read: ({ spec }) => portsText(spec.ports) },
    {
      name: "Selector",
      type: "string",
      priority: 1,
      read: ({ spec }) => labelsText(spec.selector),
    },
  ],
});
export type Service = ObjectOf<typeof service>;
export type ServiceStatus = z.output<typeof status>;
type Spec = z.output<typeof spec>;

const isIP = (text: string): boolean =>
  z.ipv4().safeParse(text).success || z.ipv6().safeParse(text).success;

/** An address stays, unless the Service becomes an ExternalName, or was one. */
function addressIsImmutable(before: Spec, after: Spec): readonly Cause[] {
  const [was, is] = [before.clusterIP ?? "", after.clusterIP ?? ""];
  if (was === "" || was === is || before.type === "ExternalName" || after.type === "ExternalName")
    return [];
  const message = `Invalid value: ["${is}"]: may not change once set`;
  return [{ reason: "FieldValueInvalid", field: "spec.clusterIPs[0]", message }];
}

function externalText(
  { type, externalIPs = [], externalName = "" }: Spec,
  status: ServiceStatus | undefined,
): string {
  if (type === "ExternalName") return externalName;
  const balanced = (status?.loadBalancer.ingress ?? []).map(
    ({ ip, hostname = "" }) => ip ?? hostname,
  );
  const all = type === "LoadBalancer" ? [...balanced, ...externalIPs] : externalIPs;
  if (all.length > 0) return all.join(",");
  return type === "LoadBalancer" ? "<pending>" : "<none>";
}

function portsText(ports: Spec["ports"] = []): string {
  if (ports.length === 0) return "<none>";
  return ports
    .map(({ port, nodePort = 0, protocol }) =>
      nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
    )
    .join(",");
}
