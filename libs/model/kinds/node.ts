import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { atomicList, count, int64, mergeBy } from "../field.ts";
import { ageColumn, defineKind, type ObjectOf } from "../kind.ts";
import { taint } from "../pod/scheduling.ts";
import { resourceList } from "../quantity.ts";
import { time } from "../time.ts";

const configSource = z
  .strictObject({
    configMap: z
      .strictObject({
        namespace: z.string().meta({ proto: 1 }),
        name: z.string().meta({ proto: 2 }),
        uid: z.string().optional().meta({ proto: 3 }),
        resourceVersion: z.string().optional().meta({ proto: 4 }),
        kubeletConfigKey: z.string().meta({ proto: 5 }),
      })
      .meta({ title: "core.v1.ConfigMapNodeConfigSource" })
      .optional()
      .meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.NodeConfigSource" });

const spec = z
  .strictObject({
    podCIDR: z.string().optional().meta({ proto: 1, description: "Addresses of its pods." }),
    podCIDRs: z.array(z.string()).optional().meta({
      proto: 7,
      "x-kubernetes-list-type": "set",
      "x-kubernetes-patch-strategy": "merge",
    }),
    configSource: configSource.optional().meta({ proto: 6 }),
    externalID: z.string().optional().meta({ proto: 2 }),
    providerID: z.string().optional().meta({ proto: 3 }),
    unschedulable: z.boolean().optional().meta({ proto: 4, description: "Takes no new pods." }),
    taints: z
      .array(taint)
      .optional()
      .meta({ proto: 5, ...atomicList, description: "Keep off pods that do not tolerate them." }),
  })
  .meta({ title: "core.v1.NodeSpec" });

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastHeartbeatTime: time.optional().meta({ proto: 3 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "core.v1.NodeCondition" });
export type NodeCondition = z.output<typeof condition>;

const text = z.string().default("");
const nodeInfo = z
  .strictObject({
    machineID: text.meta({ proto: 1 }),
    systemUUID: text.meta({ proto: 2 }),
    bootID: text.meta({ proto: 3 }),
    kernelVersion: text.meta({ proto: 4 }),
    osImage: text.meta({ proto: 5 }),
    containerRuntimeVersion: text.meta({ proto: 6 }),
    kubeletVersion: text.meta({ proto: 7 }),
    kubeProxyVersion: text.meta({ proto: 8 }),
    operatingSystem: text.meta({ proto: 9 }),
    architecture: text.meta({ proto: 10 }),
    swap: z
      .strictObject({ capacity: int64.optional().meta({ proto: 1 }) })
      .meta({ title: "core.v1.NodeSwapStatus" })
      .optional()
      .meta({ proto: 11 }),
  })
  .meta({ title: "core.v1.NodeSystemInfo" });

const status = z
  .strictObject({
    capacity: resourceList.optional().meta({ proto: 1 }),
    allocatable: resourceList.optional().meta({ proto: 2 }),
    phase: z.string().optional().meta({ proto: 3 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 4, ...mergeBy("type") }),
    addresses: z
      .array(
        z
          .strictObject({
            type: z.string().meta({ proto: 1 }),
            address: z.string().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.NodeAddress" }),
      )
      .optional()
      .meta({ proto: 5, ...mergeBy("type") }),
    daemonEndpoints: z
      .strictObject({
        kubeletEndpoint: z
          .strictObject({ Port: count.meta({ proto: 1 }) })
          .meta({ title: "core.v1.DaemonEndpoint" })
          .optional()
          .meta({ proto: 1 }),
      })
      .meta({ title: "core.v1.NodeDaemonEndpoints" })
      .optional()
      .meta({ proto: 6 }),
    nodeInfo: nodeInfo.optional().meta({ proto: 7 }),
    images: z
      .array(
        z
          .strictObject({
            names: z
              .array(z.string())
              .optional()
              .meta({ proto: 1, ...atomicList }),
            sizeBytes: int64.optional().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.ContainerImage" }),
      )
      .optional()
      .meta({ proto: 8, ...atomicList }),
    volumesInUse: z
      .array(z.string())
      .optional()
      .meta({ proto: 9, ...atomicList }),
    volumesAttached: z
      .array(
        z
          .strictObject({
            name: z.string().meta({ proto: 1 }),
            devicePath: z.string().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.AttachedVolume" }),
      )
      .optional()
      .meta({ proto: 10, ...atomicList }),
    config: z
      .strictObject({
        assigned: configSource.optional().meta({ proto: 1 }),
        active: configSource.optional().meta({ proto: 2 }),
        lastKnownGood: configSource.optional().meta({ proto: 3 }),
        error: z.string().optional().meta({ proto: 4 }),
      })
      .meta({ title: "core.v1.NodeConfigStatus" })
      .optional()
      .meta({ proto: 11 }),
    runtimeHandlers: z
      .array(
        z
          .strictObject({
            name: z.string().optional().meta({ proto: 1 }),
            features: z
              .strictObject({
                recursiveReadOnlyMounts: z.boolean().optional().meta({ proto: 1 }),
                userNamespaces: z.boolean().optional().meta({ proto: 2 }),
              })
              .meta({ title: "core.v1.NodeRuntimeHandlerFeatures" })
              .optional()
              .meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.NodeRuntimeHandler" }),
      )
      .optional()
      .meta({ proto: 12, ...atomicList }),
    features: z
      .strictObject({ supplementalGroupsPolicy: z.boolean().optional().meta({ proto: 1 }) })
      .meta({ title: "core.v1.NodeFeatures" })
      .optional()
      .meta({ proto: 13 }),
    declaredFeatures: z
      .array(z.string())
      .optional()
      .meta({ proto: 14, ...atomicList }),
  })
  .meta({ title: "core.v1.NodeStatus" });

export const node = defineKind({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  short: ["no"],
  namespaced: false,
  description: "A machine that runs pods.",
  spec: spec.prefault({}),
  status,
  validateUpdate: (before, after) => {
    const { podCIDR } = before.spec;
    if (podCIDR === undefined || podCIDR === after.spec.podCIDR) return [];
    const message = 'Forbidden: node updates may not change podCIDR except from "" to valid';
    return [{ reason: "FieldValueForbidden", field: "spec.podCIDR", message }];
  },
  columns: [
    { name: "Status", type: "string", read: statusText },
    { name: "Roles", type: "string", read: rolesText },
    ageColumn(),
    { name: "Version", type: "string", read: (one) => one.status?.nodeInfo?.kubeletVersion ?? "" },
    wide("Internal-IP", (one) => addressOf(one, "InternalIP")),
    wide("External-IP", (one) => addressOf(one, "ExternalIP")),
    wide("OS-Image", (one) => one.status?.nodeInfo?.osImage),
    wide("Kernel-Version", (one) => one.status?.nodeInfo?.kernelVersion),
    wide("Container-Runtime", (one) => one.status?.nodeInfo?.containerRuntimeVersion),
  ],
});
export type Node = ObjectOf<typeof node>;
export type NodeStatus = z.output<typeof status>;

type Spec = z.output<typeof spec>;
type Shown = {
  readonly metadata: { readonly labels?: Record<string, string> | undefined };
  readonly spec: Spec;
  readonly status?: NodeStatus | undefined;
};

function statusText({ spec: { unschedulable }, status: seen }: Shown): string {
  const ready = seen?.conditions?.find(({ type }) => type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return unschedulable === true ? `${word},SchedulingDisabled` : word;
}

const rolePrefix = "node-role.kubernetes.io/";

function rolesText({ metadata: { labels = {} } }: Shown): string {
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix) && key !== rolePrefix) return [key.slice(rolePrefix.length)];
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return roles.length === 0 ? "<none>" : [...new Set(roles)].toSorted().join(",");
}

const addressOf = ({ status: seen }: Shown, type: string): string | undefined =>
  seen?.addresses?.find((one) => one.type === type)?.address;

function wide(name: string, read: (one: Shown) => string | undefined) {
  return {
    name,
    type: "string" as const,
    priority: 1 as const,
    read: (one: Shown) => {
      const value = read(one) ?? "";
      return value !== "" ? value : name.endsWith("-IP") ? "<none>" : "<unknown>";
    },
  };
}
