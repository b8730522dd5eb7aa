/** Objects for tests: each goes through its kind's schema, so that none is malformed. */
import { parse } from "../../libs/model/errors.ts";
import { deployment, type Deployment } from "../../libs/model/kinds/deployment.ts";
import { daemonSet, type DaemonSet } from "../../libs/model/kinds/daemonset.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { node, type Node } from "../../libs/model/kinds/node.ts";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../libs/model/kinds/replicaset.ts";
import { service, type Service } from "../../libs/model/kinds/service.ts";
import { statefulSet, type StatefulSet } from "../../libs/model/kinds/statefulset.ts";
import { storageClass, type StorageClass } from "../../libs/model/kinds/storageclass.ts";
import { timeOf } from "../../libs/model/time.ts";
import { type ClusterSettings, defaultScheduling } from "../../libs/cluster/settings.ts";
import type { Random } from "../../libs/telemetry/random.ts";

export const start = Date.parse("2026-01-01T00:00:00Z");
export const settings: ClusterSettings = {
  id: "test",
  podCIDR: "10.244.0.0/16",
  serviceCIDR: "10.96.0.0/16",
  dnsAddress: "10.96.0.10",
  domain: "cluster.local",
  nodePorts: [30_000, 32_767],
  tolerationSeconds: 2,
  scheduling: { ...defaultScheduling, rebalance: false },
};

/** Repeats itself: ids count up. */
export function countingRandom(): Random {
  let count = 0;
  return {
    next: () => 0,
    uuid: () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, "0")}`,
    bytes: (size) => new Uint8Array(size),
  };
}

const template = (image: string) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image }] },
});
const selector = { matchLabels: { app: "web" } };
type Metadata = Readonly<Record<string, unknown>>;

export const aDeployment = (
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): Deployment =>
  parse(deployment, {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "d1",
      generation: 1,
      creationTimestamp: timeOf(start),
      ...metadata,
    },
    spec: { selector, template: template("web:v1"), ...spec },
  });

export const aService = (spec: Readonly<Record<string, unknown>> = {}): Service =>
  parse(service, {
    metadata: { name: "web", namespace: "default", uid: "s1" },
    spec: {
      selector: { app: "web" },
      clusterIP: "10.96.0.20",
      ports: [{ port: 80, targetPort: 8080 }],
      ...spec,
    },
  });

export const aStatefulSet = (
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): StatefulSet =>
  parse(statefulSet, {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "sts1",
      generation: 1,
      creationTimestamp: timeOf(start),
      ...metadata,
    },
    spec: { selector, serviceName: "web", template: template("web:v1"), ...spec },
  });

export const aDaemonSet = (
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): DaemonSet =>
  parse(daemonSet, {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "ds1",
      generation: 1,
      creationTimestamp: timeOf(start),
      ...metadata,
    },
    spec: { selector, template: template("web:v1"), ...spec },
  });

export const withImage = (image: string) => ({ template: template(image) });

export const aReplicaSet = (
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): ReplicaSet =>
  parse(replicaSet, {
    metadata: {
      name: "web-1",
      namespace: "default",
      uid: "rs1",
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: timeOf(start),
      ...metadata,
    },
    spec: { selector, template: template("web:v1"), ...spec },
  });

type PodState = {
  readonly node?: string;
  readonly readySinceMs?: number;
  readonly phase?: string;
  readonly ip?: string;
  readonly owner?: Readonly<Record<string, unknown>>;
  readonly metadata?: Metadata;
  readonly spec?: Readonly<Record<string, unknown>>;
};

export function aPod(name: string, state: PodState = {}): Pod {
  const { node: nodeName, readySinceMs, phase, ip, owner } = state;
  const ready = readySinceMs !== undefined;
  const conditions = ready
    ? [{ type: "Ready", status: "True", lastTransitionTime: timeOf(readySinceMs) }]
    : [];
  return parse(pod, {
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      creationTimestamp: timeOf(start),
      labels: { app: "web" },
      ...(owner && { ownerReferences: [owner] }),
      ...state.metadata,
    },
    spec: {
      ...template("web:v1").spec,
      ...(nodeName !== undefined && { nodeName }),
      ...state.spec,
    },
    status: {
      phase: phase ?? (ready ? "Running" : "Pending"),
      conditions,
      ...(ip !== undefined && { podIP: ip }),
    },
  });
}

export const aNode = (
  name: string,
  change: { readonly metadata?: Metadata; readonly spec?: object; readonly status?: object } = {},
): Node =>
  parse(node, {
    metadata: { name, uid: `uid-${name}`, creationTimestamp: timeOf(start), ...change.metadata },
    spec: { ...change.spec },
    status: change.status ?? {
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: timeOf(start) }],
    },
  });

export const aNamespace = (name: string) =>
  parse(namespace, {
    metadata: { name, uid: `uid-${name}` },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });

/** Protected, as admission makes it, of no class. */
export const aStorageClaim = (
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
  status: object = { phase: "Pending" },
): PersistentVolumeClaim =>
  parse(persistentVolumeClaim, {
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      finalizers: ["kubernetes.io/pvc-protection"],
      ...metadata,
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
    status,
  });

/** Protected, as admission makes it, of no class, on a disk that every node has. */
export const aVolume = (
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
  status: object = { phase: "Available" },
): PersistentVolume =>
  parse(persistentVolume, {
    metadata: {
      name,
      uid: `uid-${name}`,
      finalizers: ["kubernetes.io/pv-protection"],
      ...metadata,
    },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: `/disks/${name}` },
      ...spec,
    },
    status,
  });

/** Of a directory on the node of the first consumer. */
export const aStorageClass = (
  name: string,
  fields: Readonly<Record<string, unknown>> = {},
  metadata: Metadata = {},
): StorageClass =>
  parse(storageClass, {
    metadata: { name, uid: `uid-${name}`, creationTimestamp: timeOf(start), ...metadata },
    provisioner: "berth.dev/host-path",
    volumeBindingMode: "WaitForFirstConsumer",
    ...fields,
  });

/** A volume that only pods on such a node reach. */
export const onHost = (...hosts: readonly string[]) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        {
          matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: hosts }],
        },
      ],
    },
  },
});
