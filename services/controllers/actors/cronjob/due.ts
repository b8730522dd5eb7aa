import { parseSchedule } from "../../../../libs/model/cron/schedule.ts";
import { countStarts, latestStart, nextStart } from "../../../../libs/model/cron/starts.ts";
import type { CronJob } from "../../../../libs/model/kinds/cronjob.ts";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

/** More starts than this were never made up for on purpose: something is wrong. */
const missedMax = 100;

export type Due = {
  /** The last start that ought to have been made; those before it are not made up for. */
  readonly dueAt: EpochMs | undefined;
  /** It was due too long ago to be made up for. */
  readonly late: boolean;
  readonly tooManyMissed: boolean;
  readonly nextAt: EpochMs | undefined;
};

/** Kubernetes would take its machine's zone: every instance takes this one. */
export const zoneOf = ({ spec }: CronJob): string => spec.timeZone ?? "UTC";

/** @throws {ScheduleFault, RangeError} for a schedule or a zone that validation would refuse */
export function dueOf(self: CronJob, now: EpochMs): Due {
  const { spec, metadata, status } = self;
  const schedule = parseSchedule(spec.schedule);
  const zone = zoneOf(self);
  const since = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? "") || now;
  const dueAt = latestStart(schedule, zone, { after: since, upTo: now });
  const from = schedule.kind === "every" ? (dueAt ?? since) : now;
  const nextAt = nextStart(schedule, zone, from);
  const { startingDeadlineSeconds: deadline } = spec;
  const openedAt = deadline === undefined ? since : Math.max(since, now - deadline * 1_000);
  const late = dueAt !== undefined && dueAt < openedAt;
  const window = { after: openedAt, upTo: now, most: missedMax + 1 };
  const tooManyMissed =
    dueAt !== undefined && !late && countStarts(schedule, zone, window) > missedMax;
  return { dueAt, late, tooManyMissed, nextAt };
}
