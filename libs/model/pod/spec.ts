import * as z from "zod";
import { atomicList, int32, int64, mergeBy, stringMap } from "../field.ts";
import { templateMetadata } from "../metadata.ts";
import { dnsLabel, dnsSubdomain, labelKey } from "../names.ts";
import { problem, refuseDuplicates } from "../problem.ts";
import { resourceList } from "../quantity.ts";
import { localObjectReference } from "../references.ts";
import { container, ephemeralContainer, resourceRequirements } from "./container.ts";
import { resourceClaims } from "./resource-claims.ts";
import { affinity, toleration, topologySpreadConstraint } from "./scheduling.ts";
import { podSecurityContext } from "./security-context.ts";
import { volume } from "./volume.ts";

const dnsConfig = z
  .strictObject({
    nameservers: z
      .array(z.string())
      .max(3)
      .optional()
      .meta({ proto: 1, ...atomicList }),
    searches: z
      .array(z.string())
      .max(32)
      .optional()
      .meta({ proto: 2, ...atomicList }),
    options: z
      .array(
        z
          .strictObject({
            name: z.string().optional().meta({ proto: 1 }),
            value: z.string().optional().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.PodDNSConfigOption" }),
      )
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .meta({ title: "core.v1.PodDNSConfig" });

const podSpecFields = {
  volumes: z
    .array(volume)
    .optional()
    .meta({
      proto: 1,
      ...mergeBy("name"),
      "x-kubernetes-patch-strategy": "merge,retainKeys",
      description: "Volumes that containers of the pod can mount.",
    }),
  initContainers: z
    .array(container)
    .optional()
    .meta({
      proto: 20,
      ...mergeBy("name"),
      description: "Run one after the other, each to its end, before the containers.",
    }),
  containers: z
    .array(container)
    .min(1, "Required value")
    .meta({ proto: 2, ...mergeBy("name"), description: "The pod's containers, at least one." }),
  ephemeralContainers: z
    .array(ephemeralContainer)
    .optional()
    .meta({ proto: 34, ...mergeBy("name") }),
  restartPolicy: z
    .enum(["Always", "OnFailure", "Never"])
    .default("Always")
    .meta({ proto: 3, description: "When containers that ended start again." }),
  terminationGracePeriodSeconds: int64
    .min(0)
    .default(30)
    .meta({ proto: 4, description: "Seconds between SIGTERM and SIGKILL." }),
  activeDeadlineSeconds: int64
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .meta({ proto: 5 }),
  dnsPolicy: z
    .enum(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])
    .default("ClusterFirst")
    .meta({ proto: 6 }),
  nodeSelector: stringMap.optional().meta({
    proto: 7,
    "x-kubernetes-map-type": "atomic",
    description: "Labels that a node must have.",
  }),
  serviceAccountName: z.string().optional().meta({ proto: 8 }),
  serviceAccount: z.string().optional().meta({ proto: 9 }),
  automountServiceAccountToken: z.boolean().optional().meta({ proto: 21 }),
  nodeName: z.string().optional().meta({ proto: 10, description: "The node it is bound to." }),
  hostNetwork: z.boolean().optional().meta({ proto: 11, description: "Uses the node's network." }),
  hostPID: z.boolean().optional().meta({ proto: 12 }),
  hostIPC: z.boolean().optional().meta({ proto: 13 }),
  shareProcessNamespace: z.boolean().optional().meta({ proto: 27 }),
  securityContext: podSecurityContext.prefault({}).meta({ proto: 14 }),
  imagePullSecrets: z
    .array(localObjectReference)
    .optional()
    .meta({ proto: 15, ...mergeBy("name") }),
  hostname: dnsLabel.optional().meta({ proto: 16 }),
  subdomain: dnsLabel.optional().meta({ proto: 17 }),
  affinity: affinity.optional().meta({ proto: 18 }),
  schedulerName: z.string().default("default-scheduler").meta({ proto: 19 }),
  tolerations: z
    .array(toleration)
    .optional()
    .meta({ proto: 22, ...atomicList, description: "Taints of a node that the pod bears." }),
  hostAliases: z
    .array(
      z
        .strictObject({
          ip: z.string().meta({ proto: 1 }),
          hostnames: z
            .array(dnsSubdomain)
            .optional()
            .meta({ proto: 2, ...atomicList }),
        })
        .meta({ title: "core.v1.HostAlias" }),
    )
    .optional()
    .meta({ proto: 23, ...mergeBy("ip") }),
  priorityClassName: z.string().optional().meta({ proto: 24 }),
  priority: int32.optional().meta({ proto: 25 }),
  dnsConfig: dnsConfig.optional().meta({ proto: 26 }),
  readinessGates: z
    .array(
      z
        .strictObject({ conditionType: labelKey.meta({ proto: 1 }) })
        .meta({ title: "core.v1.PodReadinessGate" }),
    )
    .optional()
    .meta({ proto: 28, ...atomicList }),
  runtimeClassName: z.string().optional().meta({ proto: 29 }),
  enableServiceLinks: z.boolean().optional().meta({ proto: 30 }),
  preemptionPolicy: z.enum(["PreemptLowerPriority", "Never"]).optional().meta({ proto: 31 }),
  overhead: resourceList.optional().meta({ proto: 32 }),
  topologySpreadConstraints: z
    .array(topologySpreadConstraint)
    .optional()
    .meta({
      proto: 33,
      ...mergeBy("topologyKey"),
      "x-kubernetes-list-map-keys": ["topologyKey", "whenUnsatisfiable"],
      description: "How pods of its kind spread over the nodes.",
    }),
  setHostnameAsFQDN: z.boolean().optional().meta({ proto: 35 }),
  os: z
    .strictObject({ name: z.string().meta({ proto: 1 }) })
    .meta({ title: "core.v1.PodOS" })
    .optional()
    .meta({ proto: 36 }),
  hostUsers: z.boolean().optional().meta({ proto: 37 }),
  schedulingGates: z
    .array(
      z
        .strictObject({ name: labelKey.meta({ proto: 1 }) })
        .meta({ title: "core.v1.PodSchedulingGate" }),
    )
    .optional()
    .meta({ proto: 38, ...mergeBy("name") }),
  resourceClaims,
  resources: resourceRequirements.optional().meta({ proto: 40 }),
  hostnameOverride: z.string().optional().meta({ proto: 41 }),
  schedulingGroup: z
    .strictObject({ podGroupName: z.string().optional().meta({ proto: 1 }) })
    .meta({ title: "core.v1.PodSchedulingGroup" })
    .optional()
    .meta({ proto: 43 }),
};
type Fields = z.output<z.ZodObject<typeof podSpecFields>>;

const anyPodSpec = z
  .strictObject(podSpecFields)
  .overwrite((spec) => (spec.hostNetwork === true ? withHostPorts(spec) : spec))
  .superRefine((spec, context) => checkPodSpec(spec, context));
const titled = { title: "core.v1.PodSpec" };

/** What a pod is to be. */
export const podSpec = anyPodSpec
  .superRefine((spec, context) => {
    for (const { path, name } of strayMounts(spec)) {
      context.addIssue(problem("FieldValueNotFound", path, JSON.stringify(name)));
    }
  })
  .meta(titled);
export type PodSpec = z.output<typeof podSpec>;

const templateOf = <S extends typeof anyPodSpec>(spec: S) =>
  z
    .strictObject({
      metadata: templateMetadata.prefault({}).meta({ proto: 1 }),
      spec: spec.meta({ proto: 2 }),
    })
    .superRefine((template, context) => {
      const { spec: made } = template as { readonly spec: Fields }; // `S` is a schema of them.
      if ((made.ephemeralContainers ?? []).length === 0) return;
      const detail = "ephemeral containers not allowed in pod template";
      context.addIssue(problem("FieldValueForbidden", ["spec", "ephemeralContainers"], detail));
    })
    .meta({ title: "core.v1.PodTemplateSpec" });

/** What pods of a Deployment, a ReplicaSet and so on are made from. */
export const podTemplate = templateOf(podSpec);
export type PodTemplate = z.output<typeof podTemplate>;

/** A template whose pods get more volumes than it names: a StatefulSet's, from its claims. */
export const claimingPodTemplate = templateOf(anyPodSpec.meta(titled));

/** Mounts of volumes that the pod has not. */
export function strayMounts(
  spec: Fields,
): readonly { readonly path: readonly (string | number)[]; readonly name: string }[] {
  const known = new Set((spec.volumes ?? []).map(({ name }) => name));
  return containersIn(spec).flatMap(({ one, at }) =>
    (one.volumeMounts ?? []).flatMap(({ name }, nth) =>
      known.has(name) ? [] : [{ path: [...at, "volumeMounts", nth, "name"], name }],
    ),
  );
}

const containersIn = ({ containers, initContainers = [], ephemeralContainers = [] }: Fields) => [
  ...containers.map((one, at) => ({ one, at: ["containers", at] })),
  ...initContainers.map((one, at) => ({ one, at: ["initContainers", at] })),
  ...ephemeralContainers.map((one, at) => ({ one, at: ["ephemeralContainers", at] })),
];

/** On the node's network a container's port is the node's. */
function withHostPorts(spec: Fields): Fields {
  const filled = (list: Fields["containers"]) =>
    list.map((one) =>
      one.ports === undefined
        ? one
        : {
            ...one,
            ports: one.ports.map((port) => ({
              ...port,
              hostPort: port.hostPort ?? port.containerPort,
            })),
          },
    );
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: filled(containers),
    ...(initContainers !== undefined && { initContainers: filled(initContainers) }),
  };
}

function checkPodSpec(spec: Fields, context: z.core.$RefinementCtx): void {
  const { volumes = [], containers, initContainers = [] } = spec;
  refuseDuplicates(
    context,
    volumes.map(({ name }, at) => ({ at: ["volumes", at, "name"], value: name })),
  );
  refuseDuplicates(
    context,
    containersIn(spec).map(({ one, at }) => ({ at: [...at, "name"], value: one.name })),
  );
  refuseDuplicates(context, hostPortsOf(containers));
  refuseStrayTargets(spec, context);
  if (spec.restartPolicy === "Never") refuseRestarts(spec, context);
  for (const [at, one] of initContainers.entries()) refuseProbes(one, at, context);
  if (spec.hostNetwork === true) refuseOtherHostPorts(containers, context);
  if (spec.dnsPolicy === "None" && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    context.addIssue(problem("FieldValueRequired", ["dnsConfig", "nameservers"], detail));
  }
}

/** Where nothing is restarted, neither is what changes its size. */
function refuseRestarts(spec: Fields, context: z.core.$RefinementCtx): void {
  for (const { one, at } of containersIn(spec)) {
    const policies = one.resizePolicy ?? [];
    if (policies.every(({ restartPolicy }) => restartPolicy === "NotRequired")) continue;
    const detail = `"RestartContainer": must be 'NotRequired' when \`restartPolicy\` is 'Never'`;
    context.addIssue(problem("FieldValueInvalid", [...at, "resizePolicy"], detail));
  }
}

/** What an ephemeral container looks into is none itself. */
function refuseStrayTargets(
  { containers, initContainers = [], ephemeralContainers = [] }: Fields,
  context: z.core.$RefinementCtx,
): void {
  const names = [...containers, ...initContainers].map(({ name }) => name);
  for (const [at, { targetContainerName: target = "" }] of ephemeralContainers.entries()) {
    if (target === "" || names.includes(target)) continue;
    const path = ["ephemeralContainers", at, "targetContainerName"];
    context.addIssue(problem("FieldValueNotFound", path, JSON.stringify(target)));
  }
}

const hostPortsOf = (containers: Fields["containers"]) =>
  containers.flatMap(({ ports = [] }, at) =>
    ports.flatMap(({ hostPort, hostIP = "", protocol }, nth) =>
      hostPort === undefined
        ? []
        : [
            {
              at: ["containers", at, "ports", nth, "hostPort"],
              value: `${protocol}/${hostIP}/${hostPort}`,
            },
          ],
    ),
  );

/** An init container runs to its end: it is neither probed nor hooked, unless it is a sidecar. */
function refuseProbes(
  one: Fields["containers"][number],
  at: number,
  context: z.core.$RefinementCtx,
): void {
  if (one.restartPolicy === "Always") return;
  const fields = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;
  for (const field of fields) {
    if (one[field] === undefined) continue;
    const detail = "may not be set for init containers without restartPolicy=Always";
    context.addIssue(problem("FieldValueForbidden", ["initContainers", at, field], detail));
  }
}

function refuseOtherHostPorts(
  containers: Fields["containers"],
  context: z.core.$RefinementCtx,
): void {
  for (const [at, { ports = [] }] of containers.entries()) {
    for (const [nth, { containerPort, hostPort }] of ports.entries()) {
      if (hostPort === containerPort) continue;
      const where = ["containers", at, "ports", nth, "hostPort"];
      const detail = "must match `containerPort` when `hostNetwork` is true";
      context.addIssue(problem("FieldValueInvalid", where, detail));
    }
  }
}
