import { cronJob } from "../../../libs/model/kinds/cronjob.ts";
import { job, type Job } from "../../../libs/model/kinds/job.ts";
import { invariant } from "../invariant.ts";
import { controllerNamed, controllerUidOf } from "../owners.ts";
import { changesOf, objectIn, objectsIn } from "../state.ts";

const dueKey = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** Each time of a CronJob starts one Job, and none beside another where that is forbidden (O1, S2). */
export const cronOnce = invariant("cron-once", () => {
  const started = new Map<string, string>();
  return function* (state) {
    for (const { key, before, after } of changesOf(state, job)) {
      const name = after && controllerNamed(after, "CronJob");
      if (after === undefined || name === undefined || before !== undefined) continue;
      const owner = controllerUidOf(after);
      const time = `${owner} ${after.metadata.annotations?.[dueKey]}`;
      const other = started.get(time);
      if (other !== undefined) yield `${key} and ${other} are started for ${time}`;
      started.set(time, key);
      const self = objectIn(state, cronJob, after.metadata.namespace, name);
      if (self?.metadata.uid !== owner || self.spec.concurrencyPolicy !== "Forbid") continue;
      const beside = [...objectsIn(state, job)].filter(
        (one) => controllerUidOf(one) === owner && !hasEnded(one),
      );
      if (beside.length > 1) yield `${key} is started beside ${beside.length - 1}`;
    }
  };
});

const hasEnded = ({ status, metadata }: Job): boolean =>
  metadata.deletionTimestamp !== undefined ||
  (status?.conditions ?? []).some(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
