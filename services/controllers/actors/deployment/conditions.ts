import type { Deployment } from "../../../../libs/model/kinds/deployment.ts";
import type { ReplicaSet } from "../../../../libs/model/kinds/replicaset.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

type Status = NonNullable<Deployment["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];
type Judgement = Pick<Condition, "type" | "status" | "reason" | "message">;

/** What conditions are judged by, beside the status before. */
export type Progress = {
  readonly now: EpochMs;
  /** Without conditions. */
  readonly status: Status;
  readonly minAvailable: number;
  /** The new set, existing or just decided on; undefined while there is none. */
  readonly fresh: { readonly name: string; readonly created: boolean } | undefined;
  readonly freshSet: ReplicaSet | undefined;
};

/**
 * Available, Progressing and ReplicaFailure, with Kubernetes' reasons; and when the progress deadline
 * passes, if it is running.
 */
export function conditionsFor(
  self: Deployment,
  progress: Progress,
): { readonly conditions: Condition[]; readonly deadlineAt: EpochMs | undefined } {
  let conditions: readonly Condition[] = self.status?.conditions ?? [];
  const say = (judgement: Judgement, anew = false) => {
    conditions = withCondition(conditions, judgement, progress.now, anew);
  };
  say(available(progress));
  const deadlineSeconds = self.spec.progressDeadlineSeconds;
  if (deadlineSeconds !== undefined && deadlineSeconds < 2 ** 31 - 1) {
    judgeProgress(self, progress, deadlineSeconds, () => of(conditions, "Progressing"), say);
  } else {
    conditions = conditions.filter(({ type }) => type !== "Progressing");
  }
  const failure = progress.freshSet?.status?.conditions?.find(
    ({ type }) => type === "ReplicaFailure",
  );
  conditions = conditions.filter(({ type }) => type !== "ReplicaFailure");
  if (failure !== undefined) {
    say({
      type: "ReplicaFailure",
      status: failure.status,
      reason: failure.reason,
      message: failure.message,
    });
  }
  const running = of(conditions, "Progressing");
  return {
    conditions: [...conditions],
    deadlineAt:
      running === undefined || deadlineSeconds === undefined
        ? undefined
        : deadlineOf(running, deadlineSeconds, progress.now),
  };
}

/** Every pod is of the new template and available, none is left of an old one. */
export function isComplete({ spec, metadata }: Deployment, status: Status): boolean {
  return (
    status.updatedReplicas === spec.replicas &&
    status.replicas === spec.replicas &&
    status.availableReplicas === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function available({ status, minAvailable }: Progress): Judgement {
  const enough = status.availableReplicas >= minAvailable;
  return {
    type: "Available",
    status: enough ? "True" : "False",
    reason: enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
    message: enough
      ? "Deployment has minimum availability."
      : "Deployment does not have minimum availability.",
  };
}

function judgeProgress(
  self: Deployment,
  { now, status, fresh }: Progress,
  deadlineSeconds: number,
  current: () => Condition | undefined,
  say: (judgement: Judgement, anew?: boolean) => void,
): void {
  const progressing = (value: "True" | "False" | "Unknown", reason: string, message: string) =>
    ({ type: "Progressing", status: value, reason, message }) as const;
  if (self.spec.paused === true) {
    if (current()?.reason === "ProgressDeadlineExceeded") return;
    return say(progressing("Unknown", "DeploymentPaused", "Deployment is paused"));
  }
  if (current()?.reason === "DeploymentPaused") {
    say(progressing("Unknown", "DeploymentResumed", "Deployment is resumed"));
  }
  const named = fresh === undefined ? "Deployment" : `ReplicaSet "${fresh.name}"`;
  if (fresh?.created === true) {
    say(
      progressing("True", "NewReplicaSetCreated", `Created new replica set "${fresh.name}"`),
      true,
    );
  } else if (fresh !== undefined && current() === undefined) {
    say(progressing("True", "FoundNewReplicaSet", `Found new replica set "${fresh.name}"`));
  }
  const was = current();
  const rests =
    was?.reason === "NewReplicaSetAvailable" && status.replicas === status.updatedReplicas;
  if (rests) return;
  if (isComplete(self, status)) {
    const message = `${named} has successfully progressed.`;
    return say(progressing("True", "NewReplicaSetAvailable", message));
  }
  if (hasProgressed(self.status, status)) {
    return say(progressing("True", "ReplicaSetUpdated", `${named} is progressing.`), true);
  }
  const deadline = was && deadlineOf(was, deadlineSeconds, 0);
  if (deadline !== undefined && now > deadline) {
    say(progressing("False", "ProgressDeadlineExceeded", `${named} has timed out progressing.`));
  }
}

/** More pods of the new template, fewer of others, more ready or more available than before. */
function hasProgressed(before: Status | undefined, now: Status): boolean {
  const old = ({ replicas, updatedReplicas }: Counts) => replicas - updatedReplicas;
  const was: Counts = before ?? {
    replicas: 0,
    updatedReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
  };
  return (
    now.updatedReplicas > was.updatedReplicas ||
    old(now) < old(was) ||
    now.readyReplicas > was.readyReplicas ||
    now.availableReplicas > was.availableReplicas
  );
}

type Counts = Pick<Status, "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas">;

/** When progress is overdue; undefined when it is not awaited, or was overdue before `now`. */
function deadlineOf(condition: Condition, seconds: number, now: EpochMs): EpochMs | undefined {
  const rests = ["NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"];
  if (rests.includes(condition.reason ?? "")) return undefined;
  const from = condition.lastUpdateTime ?? condition.lastTransitionTime;
  const at = from === undefined ? undefined : Date.parse(from) + seconds * 1_000;
  return at !== undefined && at >= now ? at : undefined;
}

const of = (conditions: readonly Condition[], wanted: string) =>
  conditions.find(({ type }) => type === wanted);

/** @param anew stamps the time of the update even when status and reason stay: progress is counted from it */
function withCondition(
  conditions: readonly Condition[],
  judgement: Judgement,
  now: EpochMs,
  anew: boolean,
): readonly Condition[] {
  const was = of(conditions, judgement.type);
  if (!anew && was?.status === judgement.status && was.reason === judgement.reason)
    return conditions;
  const stamp = timeOf(now);
  const next: Condition = {
    ...judgement,
    lastUpdateTime: stamp,
    lastTransitionTime: was?.status === judgement.status ? was.lastTransitionTime : stamp,
  };
  return [...conditions.filter(({ type }) => type !== judgement.type), next];
}
