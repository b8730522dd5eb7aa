import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import {
  clear,
  condition,
  conditions,
  edit,
  fail,
  fields,
  make,
  once,
  page,
  self,
  status,
  succeed,
  tell,
} from "./job-run.ts";
import { ready, running } from "./pod-report.ts";
import { apiReference, type Case, concept, referenceTable } from "./reference-table.ts";

const parallelism = `${page}#controlling-parallelism`;
const parallel = `${page}#parallel-jobs`;
const suspension = `${page}#suspending-a-job`;
const ends = `${page}#job-termination-and-cleanup`;
const terminal = `${page}#terminal-job-conditions`;
const replacement = `${page}#pod-replacement-policy`;

const countCases: readonly Case[] = [
  {
    name: "neither completions nor parallelism given: one pod, complete as soon as it succeeds",
    source: parallel,
    check(run) {
      make(run);
      expect(self(run).spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 6 });
      expect(run.pods()).toHaveLength(1);
      succeed(run);
      expect(status(run)).toMatchObject({ succeeded: 1 });
      expect(condition(run, "Complete")).toMatchObject({ status: "True" });
      expect(run.pods()).toHaveLength(1);
    },
  },
  {
    name: "a fixed completion count without parallelism runs one pod after another",
    source: parallel,
    check(run) {
      make(run, { completions: 3 });
      for (const left of [3, 2, 1]) {
        expect(run.live()).toHaveLength(1);
        expect(status(run).succeeded ?? 0).toBe(3 - left);
        succeed(run);
      }
      expect(condition(run, "Complete")).toMatchObject({ status: "True" });
      expect(run.pods()).toHaveLength(3);
    },
  },
  {
    name: "no more pods run than completions are left",
    source: parallelism,
    check(run) {
      make(run, { completions: 5, parallelism: 3 });
      expect(run.live()).toHaveLength(3);
      succeed(run, 3);
      expect(run.live()).toHaveLength(2);
      run.create(job, "other", { template: once(), completions: 2, parallelism: 10 });
      run.settle();
      expect(run.live()).toHaveLength(4);
    },
  },
  {
    name: "a work queue starts no pod after the first success, and is complete when all have ended",
    source: parallel,
    check(run) {
      make(run, { parallelism: 3 });
      expect(self(run).spec.completions).toBeUndefined();
      expect(run.live()).toHaveLength(3);
      succeed(run);
      expect(run.live()).toHaveLength(2);
      expect(condition(run, "Complete")).toBeUndefined();
      fail(run);
      run.pass(600);
      run.settle();
      expect(run.live()).toHaveLength(1);
      succeed(run);
      expect(condition(run, "Complete")).toMatchObject({ status: "True" });
      expect(status(run)).toMatchObject({ succeeded: 2, failed: 1 });
    },
  },
  {
    name: "parallelism 0 pauses it until that is increased; less takes pods back, which count as nothing",
    source: parallelism,
    check(run) {
      make(run, { completions: 4, parallelism: 0 });
      expect(run.pods()).toEqual([]);
      edit(run, { parallelism: 3 });
      expect(run.live()).toHaveLength(3);
      tell(run, run.live(), running);
      edit(run, { parallelism: 1 });
      expect(run.live()).toHaveLength(1);
      clear(run);
      expect(status(run)).not.toHaveProperty("failed");
    },
  },
  {
    name: "its pods and their selector bear its name and uid; a selector of one's own is refused",
    source: `${page}#pod-selector`,
    check(run) {
      make(run);
      const { uid } = self(run).metadata;
      expect(run.pods()[0]?.metadata.labels).toMatchObject({
        "batch.kubernetes.io/job-name": "work",
        "batch.kubernetes.io/controller-uid": uid,
        "job-name": "work",
        "controller-uid": uid,
      });
      expect(self(run).spec.selector).toEqual({
        matchLabels: { "batch.kubernetes.io/controller-uid": uid },
      });
      const selector = { matchLabels: { app: "web" } };
      const own = refusalOf(() => run.create(job, "own", { selector, template: once() }));
      expect(own.message).toContain("`selector` not auto-generated");
    },
  },
  {
    name: "a new Job with manualSelector and the selector of an old one takes over its pods",
    source: `${page}#specifying-your-own-pod-selector`,
    check(run) {
      make(run, { completions: 2 });
      const { selector, template } = self(run).spec;
      const [old = expect.unreachable()] = run.live();
      run.remove(job, "work", { propagationPolicy: "Orphan" });
      run.settle();
      expect(run.live().map(({ metadata }) => metadata.uid)).toEqual([old.metadata.uid]);
      run.create(job, "new", {
        manualSelector: true,
        selector,
        template,
        parallelism: 2,
        completions: 2,
      });
      run.settle();
      const owners = run.live().map(({ metadata }) => metadata.ownerReferences?.[0]?.name);
      expect(owners).toEqual(["new", "new"]);
      tell(run, run.live(), { phase: "Succeeded" });
      expect(run.get(job, "new").status).toMatchObject({ succeeded: 2 });
    },
  },
  {
    name: "active and ready pods are counted",
    source: fields,
    check(run) {
      make(run, { completions: 3, parallelism: 3 });
      tell(run, run.live().slice(0, 1), ready);
      tell(run, run.live().slice(1, 2), running);
      expect(status(run)).toMatchObject({ active: 3, ready: 1 });
      succeed(run);
      expect(status(run)).toMatchObject({ active: 2, ready: 0, succeeded: 1 });
    },
  },
];

const failureCases: readonly Case[] = [
  {
    name: "failed pods come back after 10 s, 20 s, 40 s and so on, six minutes at most",
    source: `${page}#pod-backoff-failure-policy`,
    check(run) {
      make(run, { backoffLimit: 20 });
      const waits = [10, 20, 40, 80, 160, 320, 360, 360];
      for (const wait of waits) {
        fail(run);
        expect(run.live()).toEqual([]);
        expect(run.wake()).toBe(wait);
        expect(run.live()).toHaveLength(1);
      }
      expect(status(run)).toMatchObject({ failed: waits.length, active: 1 });
    },
  },
  {
    name: "the back-off count is reset when a pod succeeds",
    source: `${page}#pod-backoff-failure-policy`,
    check(run) {
      make(run, { completions: 3 });
      fail(run);
      run.wake();
      fail(run);
      expect(run.wake()).toBe(20);
      run.pass(1);
      succeed(run);
      run.pass(1);
      fail(run);
      expect(run.wake()).toBe(10);
    },
  },
  {
    name: "beyond the backoffLimit, 6 by default, it fails, and running pods are terminated",
    source: ends,
    check(run) {
      make(run, { completions: 2, parallelism: 2 });
      for (let nth = 0; nth < 6; nth += 1) {
        fail(run);
        run.pass(360);
        run.settle();
      }
      expect(run.live()).toHaveLength(2);
      tell(run, run.live(), running);
      fail(run);
      expect(run.live()).toEqual([]);
      expect(run.ending()).toHaveLength(1);
      clear(run);
      expect(condition(run, "Failed")).toMatchObject({
        status: "True",
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit",
      });
    },
  },
  {
    name: "where containers restart in place, their restarts count towards the backoffLimit",
    source: `${page}#pod-backoff-failure-policy`,
    check(run) {
      make(run, { backoffLimit: 3, template: once({ restartPolicy: "OnFailure" }) });
      tell(run, run.live(), { ...running, restarts: 2 });
      expect(conditions(run)).toEqual([]);
      tell(run, run.live(), { ...running, restarts: 3 });
      expect(conditions(run)).toEqual(["FailureTarget True BackoffLimitExceeded"]);
      expect(run.live()).toEqual([]);
    },
  },
  {
    name: "at its activeDeadlineSeconds it fails though it could retry, and its pods are terminated",
    source: ends,
    check(run) {
      make(run, { activeDeadlineSeconds: 100, completions: 2, parallelism: 2 });
      tell(run, run.live(), running);
      run.pass(95);
      fail(run);
      expect(run.wake()).toBe(5);
      expect(run.live()).toEqual([]);
      clear(run);
      expect(condition(run, "Failed")).toMatchObject({
        reason: "DeadlineExceeded",
        message: "Job was active longer than specified deadline",
      });
    },
  },
  {
    name: "FailureTarget comes first, and Failed for the same reason when all pods have ended",
    source: terminal,
    check(run) {
      make(run, { completions: 2, parallelism: 2, backoffLimit: 0 });
      tell(run, run.live(), running);
      fail(run);
      expect(conditions(run)).toEqual(["FailureTarget True BackoffLimitExceeded"]);
      expect(status(run)).toMatchObject({ terminating: 1 });
      clear(run);
      expect(conditions(run)).toEqual([
        "FailureTarget True BackoffLimitExceeded",
        "Failed True BackoffLimitExceeded",
      ]);
      expect(status(run)).not.toHaveProperty("completionTime");
    },
  },
  {
    name: "SuccessCriteriaMet comes with Complete, whose time is the completion time",
    source: terminal,
    check(run) {
      make(run);
      run.pass(42);
      succeed(run);
      expect(conditions(run)).toEqual([
        "SuccessCriteriaMet True CompletionsReached",
        "Complete True CompletionsReached",
      ]);
      const { startTime = "", completionTime = "" } = status(run);
      expect(Date.parse(completionTime) - Date.parse(startTime)).toBe(42_000);
    },
  },
  {
    name: "its pods hold a finalizer until they are counted, and stay when it is complete",
    source: `${page}#job-tracking-with-finalizers`,
    check(run) {
      make(run);
      const tracking = "batch.kubernetes.io/job-tracking";
      expect(run.pods()[0]?.metadata.finalizers).toEqual([tracking]);
      succeed(run);
      expect(run.pods()).toHaveLength(1);
      expect(run.pods()[0]?.metadata.finalizers ?? []).toEqual([]);
      expect(status(run)).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} });
    },
  },
];

const lifeCases: readonly Case[] = [
  {
    name: "ttlSecondsAfterFinished after its end it is deleted, and its pods with it",
    source: concept("ttlafterfinished/#cleanup-for-finished-jobs"),
    check(run) {
      make(run, { ttlSecondsAfterFinished: 100 });
      succeed(run);
      expect(run.wake()).toBe(100);
      clear(run);
      expect(run.find(job, "work")).toBeUndefined();
      expect(run.pods()).toEqual([]);
    },
  },
  {
    name: "with a ttlSecondsAfterFinished of 0 it is deleted as soon as it ends, without one never",
    source: `${page}#ttl-mechanism-for-finished-jobs`,
    check(run) {
      make(run, { ttlSecondsAfterFinished: 0, backoffLimit: 0 });
      fail(run);
      clear(run);
      expect(run.find(job, "work")).toBeUndefined();
      make(run);
      succeed(run);
      expect(run.nextWake()).toBeUndefined();
    },
  },
  {
    name: "a time to live may be given after its end, and counts from that",
    source: concept("ttlafterfinished/#cleanup-for-finished-jobs"),
    check(run) {
      make(run);
      succeed(run);
      run.pass(30);
      edit(run, { ttlSecondsAfterFinished: 100 });
      expect(run.wake()).toBe(70);
      clear(run);
      expect(run.find(job, "work")).toBeUndefined();
    },
  },
  {
    name: "its parallelism, limits and deadlines may change; completions and template may not",
    source: apiReference("job-v1/#JobSpec"),
    check(run) {
      make(run, { completions: 3 });
      edit(run, { parallelism: 2, backoffLimit: 1, activeDeadlineSeconds: 60 });
      expect(run.live()).toHaveLength(2);
      const { template } = self(run).spec;
      const other = { ...template, metadata: { ...template.metadata, annotations: { a: "b" } } };
      for (const change of [
        { completions: 4 },
        { completionMode: "Indexed" },
        { template: other },
      ]) {
        expect(refusalOf(() => edit(run, change)).message).toContain("field is immutable");
      }
    },
  },
  {
    name: "created suspended it has no pods and no start time until it is resumed",
    source: suspension,
    check(run) {
      make(run, { suspend: true });
      expect(run.pods()).toEqual([]);
      expect(status(run)).not.toHaveProperty("startTime");
      expect(conditions(run)).toEqual(["Suspended True JobSuspended"]);
      run.pass(60);
      edit(run, { suspend: false });
      expect(conditions(run)).toEqual(["Suspended False JobResumed"]);
      expect(Date.parse(status(run).startTime ?? "")).toBe(run.now());
      expect(run.live()).toHaveLength(1);
    },
  },
  {
    name: "suspended it terminates its active pods, which do not count; resumed its start time is reset",
    source: suspension,
    check(run) {
      make(run, { completions: 3, parallelism: 2, activeDeadlineSeconds: 100 });
      tell(run, run.live(), running);
      succeed(run);
      run.pass(90);
      edit(run, { suspend: true });
      expect(run.live()).toEqual([]);
      clear(run);
      run.pass(1_000);
      run.settle();
      expect(status(run)).toMatchObject({ succeeded: 1 });
      expect(status(run)).not.toHaveProperty("failed");
      edit(run, { suspend: false });
      expect(Date.parse(status(run).startTime ?? "")).toBe(run.now());
      expect(run.live()).toHaveLength(2);
      expect(run.wake()).toBe(100);
      expect(condition(run, "FailureTarget")).toMatchObject({ reason: "DeadlineExceeded" });
      expect(run.notes.map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(["Suspended", "Resumed"]),
      );
    },
  },
  {
    name: "before it starts its scheduling directives may be changed, and nothing else of its template",
    source: `${page}#mutable-scheduling-directives`,
    check(run) {
      make(run, { suspend: true });
      const { template } = self(run).spec;
      const moved = { ...template, spec: { ...template.spec, nodeSelector: { zone: "a" } } };
      edit(run, { template: moved, suspend: false });
      expect(run.live()[0]?.spec.nodeSelector).toEqual({ zone: "a" });
      const other = { ...template, spec: { ...template.spec, hostNetwork: true } };
      expect(refusalOf(() => edit(run, { template: other })).message).toContain("immutable");
    },
  },
  {
    name: "by default a pod that is being deleted is replaced at once, and counts as failed and terminating",
    source: replacement,
    check(run) {
      make(run);
      expect(self(run).spec.podReplacementPolicy).toBe("TerminatingOrFailed");
      tell(run, run.live(), running);
      run.remove(pod, run.live()[0]?.metadata.name ?? "");
      run.settle();
      expect(run.live()).toHaveLength(1);
      expect(status(run)).toMatchObject({ active: 1, terminating: 1, failed: 1 });
      clear(run);
      expect(status(run)).toMatchObject({ active: 1, terminating: 0, failed: 1 });
    },
  },
  {
    name: "podReplacementPolicy Failed replaces a pod only when it has ended",
    source: replacement,
    check(run) {
      make(run, { podReplacementPolicy: "Failed" });
      tell(run, run.live(), running);
      run.remove(pod, run.live()[0]?.metadata.name ?? "");
      run.settle();
      expect(run.live()).toEqual([]);
      expect(status(run)).toMatchObject({ terminating: 1 });
      clear(run);
      expect(run.live()).toHaveLength(1);
      expect(status(run)).toMatchObject({ failed: 1 });
    },
  },
  {
    name: "a Job that is managed by another is ignored, and managedBy is immutable",
    source: `${page}#delegation-of-managing-a-job-object-to-external-controller`,
    check(run) {
      run.create(job, "work", { template: once(), managedBy: "example.com/other" });
      run.settle();
      expect(run.pods()).toEqual([]);
      expect(self(run).status ?? {}).toEqual({});
      const managedBy = "kubernetes.io/job-controller";
      expect(refusalOf(() => run.edit(job, "work", { managedBy })).message).toContain("immutable");
    },
  },
  {
    name: "deleted it takes its pods along",
    source: ends,
    check(run) {
      make(run, { completions: 2, parallelism: 2 });
      tell(run, run.live(), running);
      run.remove(job, "work", { propagationPolicy: "Background" });
      run.settle();
      clear(run);
      expect(run.pods()).toEqual([]);
    },
  },
];

referenceTable("a Job", [...countCases, ...failureCases, ...lifeCases]);
