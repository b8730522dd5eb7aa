import type { Node } from "../../../../libs/model/kinds/node.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { ObservedNode } from "../../sessions/observed-nodes.ts";

export type NodeCondition = NonNullable<NonNullable<Node["status"]>["conditions"]>[number];

/** A node is silent after this long (design §4). */
const silenceMs = 4_000;
/** Kubernetes' own grace, for a node without an agent of ours. */
const foreignGraceMs = 40_000;
/** How soon to look again while silence must not be judged (N4). */
const recheckMs = 500;

export type Readiness = {
  readonly condition: NodeCondition | undefined;
  /** What was observed is fresh enough to be written down. */
  readonly heard: boolean;
  /** The condition rests on what is known now; what does not evicts nobody (N4). */
  readonly judged: boolean;
  readonly wakeAt: EpochMs | undefined;
};

/**
 * Whether a node is ready: what its agent says, or what its silence means when that may be judged.
 *
 * @param ours it has, or had, an agent of ours
 * @param judgeable silence may be judged now, by this instance (N4)
 */
export function readinessOf(
  self: Node,
  {
    observed,
    ours,
    judgeable,
  }: {
    readonly observed: ObservedNode | undefined;
    readonly ours: boolean;
    readonly judgeable: boolean;
  },
  now: EpochMs,
): Readiness {
  const was = self.status?.conditions?.find(({ type }) => type === "Ready");
  if (observed !== undefined && observed.ageMs <= silenceMs) {
    const { problem } = observed.facts;
    const condition =
      problem === undefined
        ? readyCondition(was, now, "True", "AgentReady", "the agent reports that it can run pods")
        : readyCondition(was, now, "False", "AgentNotReady", problem);
    const wakeAt = now + silenceMs - observed.ageMs + 1;
    return { condition, heard: true, judged: true, wakeAt };
  }
  if (!ours) return foreignReadiness(self, was, now);
  if (!judgeable) return { condition: was, heard: false, judged: false, wakeAt: now + recheckMs };
  const message = "the agent stopped sending heartbeats";
  const condition = readyCondition(was, now, "Unknown", "NodeStatusUnknown", message);
  return { condition, heard: false, judged: true, wakeAt: now + silenceMs };
}

/** A node kept by others, through the API: it must renew its Ready condition. */
function foreignReadiness(self: Node, was: NodeCondition | undefined, now: EpochMs): Readiness {
  const last = was?.lastHeartbeatTime ?? was?.lastTransitionTime ?? self.metadata.creationTimestamp;
  const dueAt = (last === undefined ? 0 : Date.parse(last)) + foreignGraceMs;
  const rest = { heard: false, judged: true };
  if (now <= dueAt || was?.status === "Unknown") {
    return { ...rest, condition: was, wakeAt: was?.status === "Unknown" ? undefined : dueAt + 1 };
  }
  const message = "the node stopped posting its status";
  const condition = readyCondition(was, now, "Unknown", "NodeStatusUnknown", message);
  return { ...rest, condition, wakeAt: undefined };
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
