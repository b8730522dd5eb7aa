/** What a pod comes to once nothing of it is to be started any more. Pure. */
import { hasBegun, lostAttempt, newestOf, type PodFacts } from "./facts.ts";
import { isSidecar } from "./spec.ts";

export type Outcome = {
  readonly phase: "Succeeded" | "Failed";
  readonly reason?: string;
  readonly message?: string;
};

/** Of a container that was lost while it ran. */
export const lostExitCode = 137;

const deadlineExceeded: Outcome = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
};

/** When the pod's time on the node is over, if it has a limit. */
export const deadlineOf = ({ work, startTime }: PodFacts): number | undefined =>
  work.spec.activeDeadlineSeconds === undefined
    ? undefined
    : startTime + work.spec.activeDeadlineSeconds * 1_000;

/**
 * Undefined while something runs on or is to be started. Sidecars do not count: they are ended once
 * there is an outcome, and how they end changes nothing.
 */
export function outcomeOf(facts: PodFacts): Outcome | undefined {
  const deadline = deadlineOf(facts);
  const late = facts.ending === undefined && deadline !== undefined && deadline <= facts.now;
  if (!late) return ownOutcome(facts);
  // What ended in time is not late because somebody looks at it later.
  const inTime = facts.work.spec.containers.every(({ name }) => {
    const { newest } = newestOf(facts.containers, name);
    return newest?.state === "exited" && (newest.finishedAt ?? 0) < deadline;
  });
  return (inTime ? ownOutcome(facts) : undefined) ?? deadlineExceeded;
}

function ownOutcome(facts: PodFacts): Outcome | undefined {
  const { work, ending } = facts;
  const { restartPolicy, initContainers, containers } = work.spec;
  const final = ending !== undefined || restartPolicy === "Never";
  if (!hasBegun(facts)) {
    const failed = initContainers.some(
      (one) => !isSidecar(one) && (exitCodeOf(facts, one.name) ?? 0) !== 0,
    );
    return failed && restartPolicy === "Never" ? { phase: "Failed" } : undefined;
  }
  const codes = containers.map(({ name }) => exitCodeOf(facts, name));
  if (codes.includes(undefined)) return undefined;
  const well = codes.every((code) => code === 0);
  if (!well) return final ? { phase: "Failed" } : undefined;
  return final || restartPolicy === "OnFailure" ? { phase: "Succeeded" } : undefined;
}

/** Of the newest run, once that has ended and was not ended to be replaced. */
function exitCodeOf(facts: PodFacts, name: string): number | undefined {
  if (lostAttempt(facts, name) !== undefined) return lostExitCode;
  const { newest } = newestOf(facts.containers, name);
  if (newest?.state !== "exited") return undefined;
  return facts.replaced.has(newest.id) && facts.ending === undefined ? undefined : newest.exitCode;
}
