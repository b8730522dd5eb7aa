import type { Job, JobCondition } from "../../../../libs/model/kinds/job.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

type WithStatus = { readonly status?: Job["status"] };
type Judgement = Pick<JobCondition, "type" | "status" | "reason" | "message">;

export const conditionOf = ({ status }: WithStatus, type: string): JobCondition | undefined =>
  status?.conditions?.find((one) => one.type === type);

/** The condition by which a Job has ended; undefined while it has not. */
export const endOf = (job: WithStatus): JobCondition | undefined =>
  ["Complete", "Failed"]
    .map((type) => conditionOf(job, type))
    .find((condition) => condition?.status === "True");

/** A condition that stays keeps its times. */
export function withCondition(
  conditions: readonly JobCondition[],
  judgement: Judgement,
  now: EpochMs,
): readonly JobCondition[] {
  const was = conditions.find(({ type }) => type === judgement.type);
  if (was?.status === judgement.status && was.reason === judgement.reason) return conditions;
  const stamp = timeOf(now);
  const lastTransitionTime = was?.status === judgement.status ? was.lastTransitionTime : stamp;
  const next = { ...judgement, lastProbeTime: stamp, lastTransitionTime };
  return [...conditions.filter(({ type }) => type !== judgement.type), next];
}
