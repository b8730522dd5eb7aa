import { cronJob } from "../../../libs/model/kinds/cronjob.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import { controllerNamed } from "../owners.ts";
import { type Act, type Chance, templateOf, workload } from "../workload.ts";

/** CronJobs of every minute, of which one or two come in a schedule. */
export const cronJobs = workload({
  name: "cronjobs",
  weight: 2,
  draw,
  async calm(user) {
    for (const { metadata } of user.list(cronJob)) {
      await user.change(cronJob, metadata, (one) => ({
        ...one,
        spec: { ...one.spec, suspend: true },
      }));
    }
  },
});

function draw(chance: Chance): Act {
  const name = chance.pick(["tick", "tock"]);
  const metadata = { name, namespace: "default" };
  if (chance.is(0.1)) {
    return { what: `delete cronjob ${name}`, run: (user) => user.remove(cronJob, metadata) };
  }
  if (chance.is(0.25)) return deletesJobsOf(name, chance.between(0, 3_000));
  const concurrencyPolicy = chance.pick(["Allow", "Forbid", "Replace"]);
  const template = templateOf(name, { image: "tick:1", cpu: "50m", restartPolicy: "Never" });
  const manifest = {
    metadata,
    spec: { schedule: "* * * * *", concurrencyPolicy, jobTemplate: { spec: { template } } },
  };
  return {
    what: `cronjob ${name}, ${concurrencyPolicy}`,
    run: (user) =>
      user.apply(cronJob, manifest, (one) => ({
        ...one,
        spec: { ...one.spec, concurrencyPolicy },
      })),
  };
}

const minuteMs = 60_000;

/** What it has started in the next minute is deleted, which is no reason to start it again. */
const deletesJobsOf = (name: string, afterMs: number): Act => ({
  what: `delete the jobs of ${name}, ${afterMs} ms after the minute`,
  async run(user) {
    await user.sleep(minuteMs - (user.now() % minuteMs) + afterMs);
    const own = user.list(job).filter((one) => controllerNamed(one, "CronJob") === name);
    for (const { metadata } of own) {
      await user.remove(job, metadata, { propagationPolicy: "Background" });
    }
  },
});
