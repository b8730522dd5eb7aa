import { indexesText } from "../../../../libs/model/batch/indexes.ts";
import type { Job, JobCondition, JobStatus } from "../../../../libs/model/kinds/job.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { type EventNote, normal, warning } from "../../controller.ts";
import { readySinceMs } from "../../../../libs/model/pod/state.ts";
import { isIndexed } from "./completion-index.ts";
import { conditionOf, withCondition } from "./conditions.ts";
import type { Progress, Tally } from "./progress.ts";
import type { Verdict } from "./verdict.ts";

export type Story = {
  readonly verdict: Verdict | undefined;
  /** No pod is left that runs, ends, or waits to be counted. */
  readonly over: boolean;
  readonly startedAt: EpochMs | undefined;
  readonly now: EpochMs;
};

/** Since when the Job is active: a Job that is resumed starts anew, so that its deadline does too. */
export function startOf(self: Job, now: EpochMs): EpochMs | undefined {
  const { startTime } = self.status ?? {};
  const known = startTime === undefined ? undefined : Date.parse(startTime);
  if (self.spec.suspend === true) return known;
  const resumed = conditionOf(self, "Suspended")?.status === "True";
  const toTheSecond = Math.floor(now / 1_000) * 1_000;
  return resumed ? toTheSecond : (known ?? toTheSecond);
}

/** What kubectl shows, and what happened in this turn. Pods are counted as seen at its cut. */
export function statusFor(
  self: Job,
  tally: Tally,
  counted: Progress,
  story: Story,
): { readonly status: JobStatus; readonly events: readonly EventNote[] } {
  const { conditions, events } = conditionsFor(self, story);
  const { succeeded, failed, completed, failedIndexes } = counted;
  const active = tally.active.length;
  const complete = conditionOf({ status: { conditions: [...conditions] } }, "Complete");
  const indexed = isIndexed(self);
  const limited = self.spec.backoffLimitPerIndex !== undefined;
  const status = {
    ...(conditions.length > 0 && { conditions: [...conditions] }),
    ...(story.startedAt !== undefined && { startTime: timeOf(story.startedAt) }),
    ...(complete !== undefined && { completionTime: timeOf(story.now) }),
    ...(active > 0 && { active }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(indexed && completed.length > 0 && { completedIndexes: indexesText(completed) }),
    ...(limited && { failedIndexes: indexesText(failedIndexes) }),
    terminating: tally.terminating.length,
    ready: tally.active.filter(({ pod }) => readySinceMs(pod) !== undefined).length,
    uncountedTerminatedPods: {}, // See tracking.ts.
  };
  return { status, events };
}

function conditionsFor(
  self: Job,
  { verdict, over, now }: Story,
): { readonly conditions: readonly JobCondition[]; readonly events: readonly EventNote[] } {
  const before = self.status?.conditions ?? [];
  const said = (type: string, status: "True" | "False", reason: string, message: string) =>
    withCondition(before, { type, status, reason, message }, now);
  if (verdict !== undefined) {
    const { target, reason, message } = verdict;
    const targeted = said(target, "True", reason, message);
    if (!over) return { conditions: targeted, events: [] };
    const succeeds = target === "SuccessCriteriaMet";
    const type = succeeds ? "Complete" : "Failed";
    return {
      conditions: withCondition(targeted, { type, status: "True", reason, message }, now),
      events: [succeeds ? normal("Completed", "Job completed") : warning(reason, message)],
    };
  }
  const suspended = conditionOf(self, "Suspended")?.status === "True";
  if (self.spec.suspend === true && !suspended) {
    const conditions = said("Suspended", "True", "JobSuspended", "Job suspended");
    return { conditions, events: [normal("Suspended", "Job suspended")] };
  }
  if (self.spec.suspend !== true && suspended) {
    const conditions = said("Suspended", "False", "JobResumed", "Job resumed");
    return { conditions, events: [normal("Resumed", "Job resumed")] };
  }
  return { conditions: before, events: [] };
}
