/** What the cases of a Job do to it, and look at. */
import { expect } from "vitest";
import { job } from "../../../libs/model/kinds/job.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { failed, type Report, succeeded } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import { apiReference, concept } from "./reference-table.ts";
import { template } from "./web.ts";

export const page = concept("job/");
export const fields = apiReference("job-v1/#JobStatus");
export const indexLabel = "batch.kubernetes.io/job-completion-index";
export const once = (more: object = {}) =>
  template("work:v1", { restartPolicy: "Never", ...more }, {});

/** A Job `work` whose actor and others have acted. */
export const make = (run: ReferenceCluster, spec: object = {}, metadata = {}) => {
  run.create(job, "work", { template: once(), ...spec }, metadata);
  run.settle();
};
export const self = (run: ReferenceCluster) => run.get(job, "work");
export const status = (run: ReferenceCluster) => self(run).status ?? expect.unreachable();
export const edit = (run: ReferenceCluster, spec: object) => {
  run.edit(job, "work", { ...spec });
  run.settle();
};
export const condition = (run: ReferenceCluster, type: string) =>
  status(run).conditions?.find((one) => one.type === type);
export const conditions = (run: ReferenceCluster) =>
  (status(run).conditions ?? []).map(({ type, status: is, reason }) => `${type} ${is} ${reason}`);

export const tell = (run: ReferenceCluster, pods: readonly (Pod | undefined)[], said: Report) => {
  for (const one of pods) run.report(one ?? expect.unreachable(), said);
  run.settle();
};
/** The first so many that are live end well, or not. */
export const succeed = (run: ReferenceCluster, count = 1) =>
  tell(run, firstOf(run, count), succeeded);
export const fail = (run: ReferenceCluster, said: Partial<Report> = {}, count = 1) =>
  tell(run, firstOf(run, count), { ...failed, ...said });
const firstOf = (run: ReferenceCluster, count: number) =>
  Array.from({ length: count }, (_, nth) => run.live()[nth]);

export const indexOf = ({ metadata }: Pod) => metadata.labels?.[indexLabel] ?? "";
export const liveIndexes = (run: ReferenceCluster) => run.live().map(indexOf);
export const ofIndex = (run: ReferenceCluster, index: number): Pod =>
  run.live().find((one) => indexOf(one) === String(index)) ?? expect.unreachable();
/** What is being deleted ends, and is counted. */
export const clear = (run: ReferenceCluster) => {
  for (let round = 0; run.ending().length > 0; round += 1) {
    expect(round).toBeLessThan(10);
    run.allGone();
    run.settle();
  }
};
export const indexed = (completions: number, more: object = {}) => ({
  completionMode: "Indexed",
  completions,
  parallelism: completions,
  ...more,
});
