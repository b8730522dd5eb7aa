import type { Node, NodeCondition } from "../../../../libs/model/kinds/node.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { KeptNode } from "../../sessions/kept-nodes.ts";
import type { ObservedNode } from "../../sessions/observed-nodes.ts";

/** A node is silent after this long (design §4). */
const silenceMs = 4_000;
/** How soon to look again while silence must not be judged (N4). */
const recheckMs = 500;
/** kube-controller-manager's node-monitor-grace-period, for a node without an agent of ours. */
export const keptGraceMs = 40_000;
/** Its node-startup-grace-period, for one that has never said whether it is ready. */
export const startupGraceMs = 60_000;

export type Readiness = {
  /** As they shall be; the same array when nothing changes. */
  readonly conditions: readonly NodeCondition[];
  /** What was observed is fresh enough to be written down. */
  readonly heard: boolean;
  /** The condition rests on what is known now; what does not evicts nobody (N4). */
  readonly judged: boolean;
  readonly wakeAt: EpochMs | undefined;
};

export type Observed = {
  /** The agent's heartbeats. */
  readonly observed: ObservedNode | undefined;
  /** It has, or had, an agent of ours. */
  readonly ours: boolean;
  /** The silence of agents may be judged now, by this instance (N4). */
  readonly judgeable: boolean;
  /** A node without an agent, as it was seen; undefined where nobody looked: unknown (N1). */
  readonly kept: KeptNode | undefined;
};

export const readyOf = (conditions: readonly NodeCondition[] = []): NodeCondition | undefined =>
  conditions.find(({ type }) => type === "Ready");

/** Whether a node is ready: what it says, or what its silence means when that may be judged. */
export function readinessOf(
  self: Node,
  { observed, ours, judgeable, kept }: Observed,
  now: EpochMs,
): Readiness {
  const { conditions = [] } = self.status ?? {};
  const was = readyOf(conditions);
  if (observed !== undefined && observed.ageMs <= silenceMs) {
    const { problem } = observed.facts;
    const condition =
      problem === undefined
        ? readyCondition(was, now, "True", "AgentReady", "the agent reports that it can run pods")
        : readyCondition(was, now, "False", "AgentNotReady", problem);
    const wakeAt = now + silenceMs - observed.ageMs + 1;
    return { conditions: withCondition(conditions, condition), heard: true, judged: true, wakeAt };
  }
  if (!ours) return keptReadiness(self, kept, now);
  if (!judgeable) return { conditions, heard: false, judged: false, wakeAt: now + recheckMs };
  const message = "the agent stopped sending heartbeats";
  const condition = readyCondition(was, now, "Unknown", "NodeStatusUnknown", message);
  const wakeAt = now + silenceMs;
  return { conditions: withCondition(conditions, condition), heard: false, judged: true, wakeAt };
}

/**
 * A node kept by others, through the API. What it says of itself stands until it has been silent for
 * Kubernetes' grace; its pods are evicted for that only if most such nodes were heard meanwhile (N4).
 *
 * @see https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
function keptReadiness(self: Node, kept: KeptNode | undefined, now: EpochMs): Readiness {
  const { conditions = [] } = self.status ?? {};
  if (kept === undefined) return { conditions, heard: false, judged: false, wakeAt: undefined };
  const graceMs = readyOf(conditions) === undefined ? startupGraceMs : keptGraceMs;
  const leftMs = (ms: number) => now + graceMs - ms + 1;
  if (kept.silentMs <= graceMs) {
    return { conditions, heard: false, judged: false, wakeAt: leftMs(kept.silentMs) };
  }
  const judged = kept.aloneMs > graceMs;
  const wakeAt = judged ? undefined : leftMs(kept.aloneMs);
  return { conditions: unknown(self, now), heard: false, judged, wakeAt };
}

/** What a node's kubelet says, and nobody says for it; NetworkUnavailable is the network's. */
const kubeletConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;
const stopped = { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
const never = { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." };

function unknown({ status, metadata }: Node, now: EpochMs): readonly NodeCondition[] {
  const { conditions = [] } = status ?? {};
  const marked = { status: "Unknown", lastTransitionTime: timeOf(now) } as const;
  return kubeletConditions.reduce<readonly NodeCondition[]>((all, type) => {
    const was = all.find((one) => one.type === type);
    if (was?.status === "Unknown") return all;
    if (was !== undefined) return withCondition(all, { ...was, ...marked, ...stopped });
    const lastHeartbeatTime = metadata.creationTimestamp;
    return [...all, { type, ...marked, ...never, ...(lastHeartbeatTime && { lastHeartbeatTime }) }];
  }, conditions);
}

/** Whether the status says what was written here of a silent node: that is no sign of its life. */
export function isOurVerdict({ status }: Node): boolean {
  const ready = readyOf(status?.conditions);
  return ready?.status === "Unknown" && [stopped.reason, never.reason].includes(ready.reason ?? "");
}

/** In its place, or last; the same array when it is there already. */
function withCondition(
  conditions: readonly NodeCondition[],
  condition: NodeCondition,
): readonly NodeCondition[] {
  const was = conditions.find(({ type }) => type === condition.type);
  if (was === condition) return conditions;
  if (was === undefined) return [...conditions, condition];
  return conditions.map((one) => (one === was ? condition : one));
}

/** The same condition when nothing changes: an idle cluster writes nothing. */
function readyCondition(
  was: NodeCondition | undefined,
  now: EpochMs,
  status: NodeCondition["status"],
  reason: string,
  message: string,
): NodeCondition {
  if (was?.status === status && was.reason === reason && was.message === message) return was;
  const stamp = timeOf(now);
  return {
    type: "Ready",
    status,
    reason,
    message,
    lastHeartbeatTime: status === "Unknown" ? (was?.lastHeartbeatTime ?? stamp) : stamp,
    lastTransitionTime: was?.status === status ? (was.lastTransitionTime ?? stamp) : stamp,
  };
}
