import { offsetMsAt } from "../../../../libs/model/cron/time-zone.ts";
import type { CronJob } from "../../../../libs/model/kinds/cronjob.ts";
import type { Job } from "../../../../libs/model/kinds/job.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { Newborn } from "../../controller.ts";
import { ownedBy } from "../workload/claims.ts";

/** When the Job was due. Jobs that users make of a CronJob have none. */
const scheduledKey = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export const isScheduled = ({ metadata }: Job): boolean =>
  metadata.annotations?.[scheduledKey] !== undefined;

/** The name says the minute: whoever starts it, and how often, there is one Job (S2). */
export const jobName = ({ metadata }: CronJob, dueAt: EpochMs): string =>
  `${metadata.name}-${Math.floor(dueAt / 60_000)}`;

export function newJob(self: CronJob, zone: string, dueAt: EpochMs): Newborn & { spec: unknown } {
  const { metadata, spec } = self.spec.jobTemplate;
  const { labels } = metadata;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobName(self, dueAt),
      namespace: self.metadata.namespace,
      ...(labels !== undefined && { labels }),
      annotations: { ...metadata.annotations, [scheduledKey]: localTime(zone, dueAt) },
      ownerReferences: [ownedBy(self)],
    } as Newborn["metadata"], // With what else a Job's metadata may have.
    spec,
  };
}

/** RFC 3339, with the zone's offset. */
function localTime(zone: string, at: EpochMs): string {
  const offsetMs = offsetMsAt(zone, at);
  if (offsetMs === 0) return timeOf(at);
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const sign = offsetMs < 0 ? "-" : "+";
  return `${timeOf(at + offsetMs).slice(0, -1)}${sign}${two(minutes / 60)}:${two(minutes % 60)}`;
}
