/**
 * What a node's agent and the controllers say to each other, over `berth.ctl.<node>.*`. All requests
 * and replies are JSON. Every request carries `applied`, the highest revision that the node has
 * applied; an instance answers at a cut that is no older (N3).
 */
import * as z from "zod";
import { hostPathTypes } from "../model/pod/host-path-type.ts";

const revision = z.int().min(0);

/**
 * What an agent needs of a bound pod, the value of `assign.<node>.<namespace>.<pod>`. It changes with
 * the pod's spec, metadata or deletion, and of its status with the end alone.
 */
export const assignment = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  /** RFC 3339; set: the pod is to be ended within `deletionGracePeriodSeconds`. */
  deletionTimestamp: z.string().optional(),
  deletionGracePeriodSeconds: z.number().optional(),
  /** Set once the pod has ended: it never runs again, whatever became of its containers (O2). */
  phase: z.enum(["Succeeded", "Failed"]).optional(),
  /** The pod's: its status is to say that it was seen. */
  generation: z.int().optional(),
  /**
   * A v1 PodSpec in storage form: defaults are filled in. Its containers' resources are what they are
   * given now, while a larger size waits for room.
   */
  spec: z.looseObject({}),
});
export type Assignment = z.output<typeof assignment>;

/** The node as its agent sees it; the controllers write it into the Node object. */
export const nodeFacts = z.object({
  /** The engine's id; a second agent under the name with another is refused (N5). */
  engineId: z.string(),
  labels: z.record(z.string(), z.string()),
  addresses: z.array(z.object({ type: z.string(), address: z.string() })),
  /** Quantities by resource: cpu, memory, pods, ephemeral-storage. */
  capacity: z.record(z.string(), z.string()),
  allocatable: z.record(z.string(), z.string()),
  /** As in v1 NodeSystemInfo. */
  nodeInfo: z.record(z.string(), z.string()),
  /** As in v1 NodeStatus, at most 50; absent: as told before by this agent, if ever. */
  images: z
    .array(z.object({ names: z.array(z.string()), sizeBytes: z.number() }))
    .transform((all) => all.slice(0, 50))
    .optional(),
  /** Where the agent keeps directories that volumes are made of. */
  volumesFolder: z.string().optional(),
  /** Problems that keep the node from running pods: condition NetworkUnavailable, or Ready false. */
  problem: z.string().optional(),
});
export type NodeFacts = z.output<typeof nodeFacts>;

export const nodeHeartbeat = z.object({
  node: z.string(),
  /** New at each start of the agent. */
  boot: z.string(),
  /** Milliseconds by the machine's clock: the order of one engine's agents, and nothing else (O8). */
  bootedAt: z.number(),
  applied: revision,
  facts: nodeFacts,
});
export type NodeHeartbeat = z.output<typeof nodeHeartbeat>;

export const clusterFacts = z.object({
  clusterId: z.string(),
  /** Every pod's address lies in it. */
  podCIDR: z.string(),
  serviceCIDR: z.string(),
  /** Where cluster DNS answers, and its domain. */
  dnsAddress: z.string(),
  domain: z.string(),
});
export type ClusterFacts = z.output<typeof clusterFacts>;

export const nodeHeartbeatReply = z.discriminatedUnion("accepted", [
  z.object({
    accepted: z.literal(true),
    /** The last revision of what concerns the node; above `applied`: ask for a snapshot. */
    lastRevision: revision,
    /** Absent until one is allocated: ask again in a moment. */
    podCIDR: z.string().optional(),
    cluster: clusterFacts,
    /** Volumes whose directories the agent is to remove, some of them: it says when that is done. */
    unclaimed: z.array(z.string()).optional(),
  }),
  /** Refused (N5): act on nothing under this name. */
  z.object({
    accepted: z.literal(false),
    reason: z.string(),
    /** Of the agent that is heard under the name; absent while that is not known for sure. */
    engineId: z.string().optional(),
  }),
]);
export type NodeHeartbeatReply = z.output<typeof nodeHeartbeatReply>;

export const nodeSnapshotRequest = z.object({
  node: z.string(),
  applied: revision,
  /** The agent's first: it does not know what the one before it applied, so the answer is caught up. */
  first: z.boolean(),
});
export type NodeSnapshotRequest = z.output<typeof nodeSnapshotRequest>;
export const nodeSnapshot = z.object({
  /** The cut; what is absent here and known at a revision ≤ `cut` is gone (N3). */
  cut: revision,
  assignments: z.array(z.object({ revision, assignment })),
});
export type NodeSnapshot = z.output<typeof nodeSnapshot>;

/** N2: `sequence` rises by one with each report of a pod within a boot. */
export const podReport = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  sequence: z.int().min(1),
  /** A v1 PodStatus without conditions that the control plane owns (PodScheduled). */
  status: z.looseObject({}),
  /** Every container of this uid is gone from the node, and none will be started (O6). */
  gone: z.boolean(),
});
export type PodReport = z.output<typeof podReport>;
export const nodeReport = z.object({
  node: z.string(),
  boot: z.string(),
  applied: revision,
  /** At most 200. */
  reports: z.array(podReport).max(200),
  /** Kubernetes Events about pods of the node, best effort; at most 200. */
  events: z
    .array(
      z.object({
        namespace: z.string(),
        name: z.string(),
        uid: z.string(),
        type: z.enum(["Normal", "Warning"]),
        reason: z.string(),
        message: z.string(),
        /** RFC 3339. */
        at: z.string(),
        fieldPath: z.string().optional(),
      }),
    )
    .max(200),
});
export type NodeReport = z.output<typeof nodeReport>;
export const nodeReportReply = z.object({
  /**
   * For each report: stored (or already newer), gone (no such uid: forget it, end its containers),
   * or retry.
   */
  results: z.array(z.object({ uid: z.string(), outcome: z.enum(["stored", "gone", "retry"]) })),
});
export type NodeReportReply = z.output<typeof nodeReportReply>;

/** ConfigMaps and Secrets that a pod assigned to the node names; others are refused as missing. */
const configRef = z.object({
  kind: z.enum(["ConfigMap", "Secret"]),
  namespace: z.string(),
  name: z.string(),
});
export type ConfigRef = z.output<typeof configRef>;
/** A claim to storage that a pod assigned to the node names; others are refused as missing. */
const claimRef = z.object({ namespace: z.string(), name: z.string() });
export type ClaimRef = z.output<typeof claimRef>;
/** A token for a pod's account, as one of its volumes asks for it. */
const tokenRef = z.object({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  /** Empty: the API's own. */
  audience: z.string(),
  expirationSeconds: z.number(),
});
export type TokenRef = z.output<typeof tokenRef>;
const grantedToken = tokenRef.extend({
  token: z.string(),
  /** From now; it may be less than what was asked for. */
  lifeSeconds: z.number(),
});
export type GrantedToken = z.output<typeof grantedToken>;
export const nodeConfigRequest = z.object({
  node: z.string(),
  applied: revision,
  refs: z.array(configRef).max(200),
  claims: z.array(claimRef).max(200).default([]),
  tokens: z.array(tokenRef).max(200).default([]),
});
export type NodeConfigRequest = z.output<typeof nodeConfigRequest>;
const claimed = claimRef.extend({
  /** Absent: `waits` says why. */
  volume: z
    .object({
      name: z.string(),
      path: z.string(),
      /** As in v1 HostPathVolumeSource. */
      type: z.enum(hostPathTypes),
      /** The agent makes the directory, for whoever will use it. */
      makes: z.boolean(),
    })
    .optional(),
  waits: z.string().optional(),
  /** It may be there any moment: nothing is wrong yet. */
  isPending: z.boolean().optional(),
});
export type Claimed = z.output<typeof claimed>;
export const nodeConfig = z.object({
  cut: revision,
  found: z.array(
    configRef.extend({
      revision,
      /** Values base64, whatever the kind. */
      data: z.record(z.string(), z.string()),
    }),
  ),
  missing: z.array(configRef),
  claims: z.array(claimed).default([]),
  /** Those that were granted: of a pod that is on the node, for what its volumes ask. */
  tokens: z.array(grantedToken).default([]),
});
export type NodeConfig = z.output<typeof nodeConfig>;
const changedRef = configRef.extend({
  kind: z.enum(["ConfigMap", "Secret", "PersistentVolumeClaim"]),
});
export type ChangedRef = z.output<typeof changedRef>;
/** Told on `berth.node.<node>.changed`: what one of its pods names has changed. */
export const nodeChanged = z.object({ ref: changedRef, revision });
export type NodeChanged = z.output<typeof nodeChanged>;

/** The directories of these volumes are gone from the node; at most 100. The answer is `{}`. */
export const volumesRemoved = z.object({
  node: z.string(),
  applied: revision,
  volumes: z.array(z.string()).max(100),
});
export type VolumesRemoved = z.output<typeof volumesRemoved>;

/** N6: answered when every live lb has applied the pod's termination, or at `limitMs`. */
export const drainQuestion = z.object({
  node: z.string(),
  applied: revision,
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  limitMs: z.int().min(0).max(60_000),
});
export type DrainQuestion = z.output<typeof drainQuestion>;
export const drainAnswer = z.object({
  /** no-service: no slice ever held the pod. no-lb: none is alive. limit: not all had applied it. */
  outcome: z.enum(["applied", "no-service", "no-lb", "limit"]),
});
export type DrainAnswer = z.output<typeof drainAnswer>;

/** `berth.node.<node>.logs`: a stream of log lines as raw bytes, opened with this. */
export const logsOpening = z.object({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  container: z.string(),
  follow: z.boolean(),
  previous: z.boolean(),
  timestamps: z.boolean(),
  tailLines: z.int().min(0).optional(),
  sinceSeconds: z.int().min(1).optional(),
  sinceTime: z.string().optional(),
  limitBytes: z.int().min(1).optional(),
  stream: z.enum(["All", "Stdout", "Stderr"]).default("All"),
});
export type LogsOpening = z.input<typeof logsOpening>;

/**
 * `berth.node.<node>.exec`: a stream of frames, each one chunk: first byte the channel as in
 * Kubernetes' v5.channel.k8s.io (0 stdin, 1 stdout, 2 stderr, 3 error: a v1 Status at the end,
 * 4 resize: JSON `{Width, Height}`, 255 followed by a channel: that channel is closed), then the bytes.
 */
export const execOpening = z.object({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  container: z.string(),
  /** Empty: attach to the container's main process. */
  command: z.array(z.string()),
  stdin: z.boolean(),
  stdout: z.boolean(),
  stderr: z.boolean(),
  tty: z.boolean(),
});
export type ExecOpening = z.output<typeof execOpening>;

/** `berth.node.<node>.forward`: a connection to a port of a pod; its bytes as they are, opened with this. */
export const forwardOpening = z.object({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  port: z.int().min(1).max(65_535),
  /** What is dialled: the pod's own localhost, from within; or its address. */
  to: z.enum(["localhost", "address"]),
});
export type ForwardOpening = z.output<typeof forwardOpening>;
