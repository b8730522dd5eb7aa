import { resizePending } from "../../../libs/model/pod/allocated.ts";
import { disruptionTarget } from "../../../libs/model/pod/disruption.ts";
import { isTerminalPhase } from "../../../libs/model/pod/state.ts";
import type { PodReport } from "../../../libs/protocol/node.ts";

/** What a node's report means for the pod that the cut shows (N2, O2, O6). */
export type ReportVerdict =
  /** The pod is not there under that uid: the node forgets it. */
  | { readonly act: "forget" }
  /** What is stored is as new. */
  | { readonly act: "skip" }
  /** Another agent speaks for the node now. */
  | { readonly act: "refuse" }
  /** Nothing holds the pod any more: its keys go. */
  | { readonly act: "remove" }
  | { readonly act: "store"; readonly status: Status; readonly report: string };

export type Status = Readonly<Record<string, unknown>>;
type Condition = {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
};

/** What of a pod decides. */
export type ReportedPod = {
  readonly uid: string;
  /** Its mark of the last report, `<boot>/<sequence>`. */
  readonly mark: string | undefined;
  readonly ending: boolean;
  readonly finalizers: number;
  readonly status: Status;
};

/**
 * @param boot of the agent that reports
 * @param currentBoot of the agent that this instance hears under the node's name, if it hears one
 * @param stamp RFC 3339, for conditions that change: times that decisions compute with are ours (O8)
 */
export function judgeReport(
  pod: ReportedPod | undefined,
  report: PodReport,
  { boot, currentBoot, stamp }: { boot: string; currentBoot: string | undefined; stamp: string },
): ReportVerdict {
  if (pod === undefined || pod.uid !== report.uid) return { act: "forget" };
  if (currentBoot !== undefined && currentBoot !== boot) return { act: "refuse" };
  if (report.gone && pod.ending && pod.finalizers === 0) return { act: "remove" };
  const [storedBoot, storedSequence] = (pod.mark ?? "").split("/");
  if (storedBoot === boot && Number(storedSequence) >= report.sequence) return { act: "skip" };
  const phase = pod.status["phase"];
  const left = isTerminalPhase(phase) && report.status["phase"] !== phase;
  // Gone and still held: it never ran to an end, and never will.
  const over = isTerminalPhase(report.status["phase"]) || !report.gone || !pod.ending;
  const told = over ? report.status : { ...report.status, phase: "Failed" };
  const status = left ? pod.status : mergeStatus(pod.status, told, stamp);
  return { act: "store", status, report: `${boot}/${report.sequence}` };
}

/**
 * The reported status, with the conditions that the control plane owns kept, and the time of each
 * condition's last change stamped here (O8). How often a container was restarted never falls: a node
 * that has lost its memory of that begins anew.
 */
export function mergeStatus(stored: Status, reported: Status, stamp: string): Status {
  const [had, has] = [conditionsOf(stored), conditionsOf(reported)];
  const owned = had.filter(({ type }) => ours.has(type));
  const ends = isTerminalPhase(reported["phase"]) && !isTerminalPhase(stored["phase"]);
  const conditions = has
    .filter(({ type }) => !ours.has(type))
    .map((condition) => {
      const before = had.find(({ type }) => type === condition.type);
      const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
      // A pod's end is when it is last not ready: a Job's back-off is counted from there.
      const anew = ends && condition.type === "Ready";
      return { ...condition, lastTransitionTime: anew ? stamp : (kept ?? stamp) };
    });
  return {
    ...reported,
    ...keptCounts("initContainerStatuses", stored, reported),
    ...keptCounts("containerStatuses", stored, reported),
    conditions: [...conditions, ...owned],
  };
}

/** Conditions that the control plane writes, and nodes do not know. */
const ours = new Set(["PodScheduled", resizePending, disruptionTarget]);

type Counted = { readonly name: string; readonly restartCount?: number };

function keptCounts(
  field: "containerStatuses" | "initContainerStatuses",
  stored: Status,
  reported: Status,
): Status {
  const counts = new Map(
    countedIn(stored, field).map(({ name, restartCount = 0 }) => [name, restartCount]),
  );
  if (counts.size === 0 || reported[field] === undefined) return {};
  const kept = countedIn(reported, field).map((one) => ({
    ...one,
    restartCount: Math.max(one.restartCount ?? 0, counts.get(one.name) ?? 0),
  }));
  return { [field]: kept };
}

const countedIn = (status: Status, field: string) => (status[field] ?? []) as readonly Counted[]; // A PodStatus.
const conditionsOf = (status: Status) => (status["conditions"] ?? []) as readonly Condition[]; // A PodStatus.
