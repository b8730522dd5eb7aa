/** Whether a Job is to end, and why. Pure. */
import {
  type Indexes,
  noIndexes,
  parseIndexes,
  sizeInBoth,
  sizeOf,
} from "../../../../libs/model/batch/indexes.ts";
import type { Job } from "../../../../libs/model/kinds/job.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { conditionOf } from "./conditions.ts";
import type { Progress, Tally } from "./progress.ts";

/** First the target; once no pod is left, Failed or Complete for the same reason. */
export type Verdict = {
  readonly target: "FailureTarget" | "SuccessCriteriaMet";
  readonly reason: string;
  readonly message: string;
};

/** When the Job's deadline passes; undefined while it has none, or it is suspended. */
export function deadlineOf({ spec }: Job, startedAt: EpochMs | undefined): EpochMs | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  return startedAt === undefined ? undefined : startedAt + spec.activeDeadlineSeconds * 1_000;
}

/** In Kubernetes' order: what was decided stays; then failures; then success. */
export function verdictOf(
  self: Job,
  tally: Tally,
  progress: Progress,
  { now, startedAt }: { readonly now: EpochMs; readonly startedAt: EpochMs | undefined },
): Verdict | undefined {
  return (
    decided(self, "SuccessCriteriaMet") ??
    decided(self, "FailureTarget") ??
    failedByPolicy(tally) ??
    failedByLimit(self, tally, progress, deadlineOf(self, startedAt), now) ??
    failedByIndexes(self, progress) ??
    succeededByPolicy(self, progress) ??
    completed(self, tally, progress)
  );
}

function decided(self: Job, target: Verdict["target"]): Verdict | undefined {
  const condition = conditionOf(self, target);
  if (condition?.status !== "True") return undefined;
  return { target, reason: condition.reason ?? "", message: condition.message ?? "" };
}

const failure = (reason: string, message: string): Verdict => ({
  target: "FailureTarget",
  reason,
  message,
});
const success = (reason: string, message: string): Verdict => ({
  target: "SuccessCriteriaMet",
  reason,
  message,
});

function failedByPolicy({ ended }: Tally): Verdict | undefined {
  for (const { action } of ended.failed) {
    if (action.action === "FailJob") return failure("PodFailurePolicy", action.message);
  }
  return undefined;
}

function failedByLimit(
  { spec }: Job,
  { active }: Tally,
  { failed }: Progress,
  deadline: EpochMs | undefined,
  now: EpochMs,
): Verdict | undefined {
  const limit = spec.backoffLimit ?? 6;
  const inPlace = spec.template.spec.restartPolicy === "OnFailure";
  const restarts = inPlace ? active.reduce((sum, { pod }) => sum + restartsOf(pod), 0) : 0;
  // Restarts reach the limit; pods must exceed it. With a limit of 0 both must.
  if (failed > limit || (restarts > 0 && restarts >= limit)) {
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (deadline === undefined || now < deadline) return undefined;
  return failure("DeadlineExceeded", "Job was active longer than specified deadline");
}

const restartsOf = ({ status }: Pod): number =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].reduce(
    (sum, { restartCount }) => sum + restartCount,
    0,
  );

function failedByIndexes(
  { spec }: Job,
  { completed: done, failedIndexes }: Progress,
): Verdict | undefined {
  const failed = sizeOf(failedIndexes);
  if (failed === 0) return undefined;
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return failure("MaxFailedIndexesExceeded", message);
  }
  if (failed + sizeOf(done) < (spec.completions ?? 0)) return undefined;
  return failure("FailedIndexes", "Job has failed indexes");
}

function succeededByPolicy({ spec }: Job, { completed: done }: Progress): Verdict | undefined {
  const nth = (spec.successPolicy?.rules ?? []).findIndex((rule) => meets(rule, done));
  return nth < 0 ? undefined : success("SuccessPolicy", `Matched rules at index ${nth}`);
}

function meets(
  rule: {
    readonly succeededIndexes?: string | undefined;
    readonly succeededCount?: number | undefined;
  },
  done: Indexes,
): boolean {
  if (rule.succeededIndexes === undefined) return sizeOf(done) >= (rule.succeededCount ?? Infinity);
  const wanted = parseIndexes(rule.succeededIndexes) ?? noIndexes;
  return sizeInBoth(done, wanted) >= (rule.succeededCount ?? sizeOf(wanted));
}

/** Without a number of completions the first success ends the Job, once all others have ended. */
function completed({ spec }: Job, { active }: Tally, { succeeded }: Progress): Verdict | undefined {
  const enough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
  if (!enough || active.length > 0) return undefined;
  return success("CompletionsReached", "Reached expected number of succeeded pods");
}
