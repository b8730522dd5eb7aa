import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { job } from "../../../libs/model/kinds/job.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import {
  clear,
  condition,
  conditions,
  edit,
  fail,
  fields,
  indexed,
  indexLabel,
  liveIndexes,
  make,
  ofIndex,
  once,
  page,
  self,
  status,
  tell,
} from "./job-run.ts";
import { failed, type Report, running, succeeded } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import { type Case, referenceTable } from "./reference-table.ts";

const modes = `${page}#completion-mode`;
const perIndex = `${page}#backoff-limit-per-index`;
const failurePolicy = `${page}#pod-failure-policy`;
const successPolicy = `${page}#success-policy`;

const tellIndex = (run: ReferenceCluster, index: number, said: Report) =>
  tell(run, [ofIndex(run, index)], said);
const rules = (...all: readonly object[]) => ({ podFailurePolicy: { rules: all } });
const onCodes = (action: string, values: readonly number[], more: object = {}) => ({
  action,
  onExitCodes: { operator: "In", values, ...more },
});
const onDisruption = (action: string) => ({
  action,
  onPodConditions: [{ type: "DisruptionTarget" }],
});
const disrupted: Report = { ...failed, exitCode: 137, conditions: ["DisruptionTarget"] };
const successRules = (...all: readonly object[]) => ({ successPolicy: { rules: all } });
const envOf = (containers: Pod["spec"]["containers"] | undefined) =>
  (containers ?? []).flatMap(({ env = [] }) => env);

const indexCases: readonly Case[] = [
  {
    name: "a pod has its index in an annotation, a label, its name, its hostname and its environment",
    source: modes,
    check(run) {
      const init = { initContainers: [{ name: "init", image: "init:v1" }] };
      make(run, indexed(2, { template: once(init) }));
      const one = ofIndex(run, 1);
      expect(one.metadata.name).toMatch(/^work-1-\w{5}$/);
      expect(one.metadata.annotations).toMatchObject({ [indexLabel]: "1" });
      expect(one.metadata.labels).toMatchObject({ [indexLabel]: "1" });
      expect(one.spec.hostname).toBe("work-1");
      const fieldPath = `metadata.annotations['${indexLabel}']`;
      const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath } } };
      expect(envOf(one.spec.containers)).toMatchObject([variable]);
      expect(envOf(one.spec.initContainers)).toMatchObject([variable]);
    },
  },
  {
    name: "it is complete when each index has a pod that succeeded; those that have are a list of ranges",
    source: fields,
    check(run) {
      make(run, indexed(5));
      for (const index of [1, 3, 4, 0]) tellIndex(run, index, succeeded);
      expect(status(run)).toMatchObject({ completedIndexes: "0,1,3,4", succeeded: 4, active: 1 });
      tellIndex(run, 2, succeeded);
      expect(status(run)).toMatchObject({ completedIndexes: "0-4", succeeded: 5 });
      expect(condition(run, "Complete")).toMatchObject({ reason: "CompletionsReached" });
    },
  },
  {
    name: "an index whose pod failed has another one, of the same index",
    source: modes,
    check(run) {
      make(run, indexed(3));
      tellIndex(run, 1, failed);
      expect(liveIndexes(run)).toEqual(["0", "2"]);
      expect(run.wake()).toBe(10);
      expect(liveIndexes(run)).toEqual(["0", "1", "2"]);
      expect(status(run)).toMatchObject({ failed: 1, active: 3 });
    },
  },
  {
    name: "the lowest indexes that are left come first",
    source: `${page}#parallel-jobs`,
    check(run) {
      make(run, indexed(5, { parallelism: 2 }));
      expect(liveIndexes(run)).toEqual(["0", "1"]);
      tellIndex(run, 0, succeeded);
      expect(liveIndexes(run)).toEqual(["1", "2"]);
    },
  },
  {
    name: "its completions may change together with its parallelism, and equal to it",
    source: `${page}#elastic-indexed-jobs`,
    check(run) {
      make(run, indexed(2));
      edit(run, { completions: 4, parallelism: 4 });
      expect(liveIndexes(run)).toEqual(["0", "1", "2", "3"]);
      edit(run, { completions: 1, parallelism: 1 });
      expect(liveIndexes(run)).toEqual(["0"]);
      tellIndex(run, 0, succeeded);
      expect(condition(run, "Complete")).toMatchObject({ status: "True" });
      run.create(job, "other", { ...indexed(2), template: once() });
      expect(refusalOf(() => run.edit(job, "other", { completions: 3 })).message).toContain(
        "immutable",
      );
    },
  },
  {
    name: "an index beyond its own limit fails, the others go on, and the Job fails at the end",
    source: perIndex,
    check(run) {
      make(run, indexed(3, { backoffLimitPerIndex: 1 }));
      expect(self(run).spec.backoffLimit).toBe(2 ** 31 - 1);
      tellIndex(run, 0, failed);
      run.wake();
      tellIndex(run, 0, failed);
      expect(status(run)).toMatchObject({ failedIndexes: "0", failed: 2, active: 2 });
      expect(conditions(run)).toEqual([]);
      tellIndex(run, 1, succeeded);
      tellIndex(run, 2, succeeded);
      expect(conditions(run)).toEqual([
        "FailureTarget True FailedIndexes",
        "Failed True FailedIndexes",
      ]);
      expect(status(run)).toMatchObject({ succeeded: 2, completedIndexes: "1,2" });
    },
  },
  {
    name: "each index backs off for itself, and its pods say how often it failed",
    source: perIndex,
    check(run) {
      make(run, indexed(2, { backoffLimitPerIndex: 5 }));
      const count = "batch.kubernetes.io/job-index-failure-count";
      const failures = () => ofIndex(run, 0).metadata.annotations?.[count];
      expect(failures()).toBe("0");
      for (const [nth, wait] of [10, 20, 40].entries()) {
        tellIndex(run, 0, failed);
        expect(run.wake()).toBe(wait);
        expect(failures()).toBe(String(nth + 1));
      }
      tellIndex(run, 1, failed);
      expect(run.wake()).toBe(10);
      expect(liveIndexes(run)).toEqual(["0", "1"]);
    },
  },
  {
    name: "beyond maxFailedIndexes it fails at once, and running pods are terminated",
    source: perIndex,
    check(run) {
      make(run, indexed(4, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }));
      tell(run, run.live(), running);
      tellIndex(run, 0, failed);
      expect(conditions(run)).toEqual([]);
      tellIndex(run, 2, failed);
      expect(run.live()).toEqual([]);
      expect(status(run)).toMatchObject({ terminating: 2 });
      clear(run);
      expect(condition(run, "Failed")).toMatchObject({
        reason: "MaxFailedIndexesExceeded",
        message: "Job has exceeded the specified maximal number of failed indexes",
      });
    },
  },
  {
    name: "backoffLimitPerIndex is for Indexed Jobs, and maxFailedIndexes goes with it",
    source: perIndex,
    check(run) {
      const plain = refusalOf(() => make(run, { backoffLimitPerIndex: 1 }));
      expect(plain.message).toContain("requires indexed completion mode");
      const alone = refusalOf(() => make(run, indexed(2, { maxFailedIndexes: 1 })));
      expect(alone.message).toContain("when maxFailedIndexes is specified");
    },
  },
];

const failureCases: readonly Case[] = [
  {
    name: "FailJob for an exit code fails the Job, whatever its backoffLimit, and terminates all pods",
    source: failurePolicy,
    check(run) {
      make(run, { completions: 4, parallelism: 2, ...rules(onCodes("FailJob", [42])) });
      tell(run, run.live(), running);
      const [one] = run.live();
      fail(run, { exitCode: 42 });
      expect(run.live()).toEqual([]);
      clear(run);
      expect(condition(run, "Failed")).toMatchObject({
        reason: "PodFailurePolicy",
        message: `Container web for pod default/${one?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
      });
    },
  },
  {
    name: "Ignore of DisruptionTarget replaces the pod and counts nothing towards the backoffLimit",
    source: failurePolicy,
    check(run) {
      make(run, { backoffLimit: 0, ...rules(onDisruption("Ignore")) });
      for (let nth = 0; nth < 3; nth += 1) {
        tell(run, run.live(), disrupted);
        expect(conditions(run)).toEqual([]);
        expect(status(run)).not.toHaveProperty("failed");
        run.pass(360);
        run.settle();
        expect(run.live()).toHaveLength(1);
      }
    },
  },
  {
    name: "Count, and a failure that no rule fits, count towards the backoffLimit",
    source: failurePolicy,
    check(run) {
      const policy = rules(onCodes("Count", [1]), onCodes("FailJob", [42]));
      make(run, { backoffLimit: 1, ...policy });
      fail(run, { exitCode: 1 });
      run.pass(360);
      run.settle();
      expect(status(run)).toMatchObject({ failed: 1, active: 1 });
      fail(run, { exitCode: 7 });
      expect(condition(run, "Failed")).toMatchObject({ reason: "BackoffLimitExceeded" });
    },
  },
  {
    name: "rules are evaluated in order, and after the first that fits no other is",
    source: failurePolicy,
    check(run) {
      make(run, rules(onDisruption("Ignore"), onCodes("FailJob", [137])));
      tell(run, run.live(), disrupted);
      expect(conditions(run)).toEqual([]);
      run.pass(360);
      run.settle();
      fail(run, { exitCode: 137 });
      expect(condition(run, "Failed")).toMatchObject({
        message: expect.stringContaining("matching FailJob rule at index 1") as string,
      });
    },
  },
  {
    name: "a rule may name its container, and NotIn fits every other code",
    source: failurePolicy,
    check(run) {
      const two = once({
        containers: [
          { name: "main", image: "main:v1" },
          { name: "side", image: "side:v1" },
        ],
      });
      const onMain = onCodes("FailJob", [1], { operator: "NotIn", containerName: "main" });
      make(run, { template: two, ...rules(onMain) });
      fail(run, { exitCode: [1, 2] });
      expect(conditions(run)).toEqual([]);
      run.pass(360);
      run.settle();
      fail(run, { exitCode: [0, 2] });
      expect(conditions(run)).toEqual([]);
      run.pass(360);
      run.settle();
      fail(run, { exitCode: [3, 0] });
      expect(condition(run, "Failed")).toMatchObject({
        message: expect.stringMatching(/^Container main .* exit code 3 /) as string,
      });
    },
  },
  {
    name: "FailIndex fails the index without more tries",
    source: perIndex,
    check(run) {
      const policy = rules(onCodes("FailIndex", [42]));
      make(run, indexed(2, { backoffLimitPerIndex: 5, ...policy }));
      tellIndex(run, 0, { ...failed, exitCode: 42 });
      expect(status(run)).toMatchObject({ failedIndexes: "0", active: 1 });
      run.pass(3_600);
      run.settle();
      expect(liveIndexes(run)).toEqual(["1"]);
    },
  },
  {
    name: "FailIndex needs backoffLimitPerIndex, and a policy restartPolicy Never",
    source: failurePolicy,
    check(run) {
      const index = refusalOf(() => make(run, indexed(2, rules(onCodes("FailIndex", [1])))));
      expect(index.message).toContain("requires the backoffLimitPerIndex to be set");
      const template = once({ restartPolicy: "OnFailure" });
      const restarts = refusalOf(() => make(run, { template, ...rules(onCodes("FailJob", [1])) }));
      expect(restarts.message).toContain('only "Never" is supported');
    },
  },
  {
    name: "with a failure policy pods are replaced only when they have failed",
    source: `${page}#pod-replacement-policy`,
    check(run) {
      make(run, rules(onDisruption("Ignore")));
      expect(self(run).spec.podReplacementPolicy).toBe("Failed");
      const policy = {
        podReplacementPolicy: "TerminatingOrFailed",
        ...rules(onDisruption("Count")),
      };
      const refusal = refusalOf(() => run.create(job, "other", { template: once(), ...policy }));
      expect(refusal.message).toContain('supported values: "Failed"');
    },
  },
];

const successCases: readonly Case[] = [
  {
    name: "a rule of indexes and a count is met by so many of these; other pods are terminated",
    source: successPolicy,
    check(run) {
      const rule = { succeededIndexes: "0,2-3", succeededCount: 1 };
      make(run, indexed(5, successRules(rule)));
      tell(run, run.live(), running);
      tellIndex(run, 1, succeeded);
      expect(conditions(run)).toEqual([]);
      tellIndex(run, 3, succeeded);
      expect(conditions(run)).toEqual(["SuccessCriteriaMet True SuccessPolicy"]);
      expect(run.live()).toEqual([]);
      expect(status(run)).toMatchObject({ terminating: 3 });
      clear(run);
      expect(condition(run, "Complete")).toMatchObject({
        reason: "SuccessPolicy",
        message: "Matched rules at index 0",
      });
      expect(status(run)).toMatchObject({ succeeded: 2, completedIndexes: "1,3" });
      expect(status(run)).toHaveProperty("completionTime");
    },
  },
  {
    name: "a rule of indexes alone wants all of these, one of a count alone any so many",
    source: successPolicy,
    check(run) {
      make(run, indexed(5, successRules({ succeededIndexes: "0-1" }, { succeededCount: 3 })));
      for (const index of [0, 2]) tellIndex(run, index, succeeded);
      expect(conditions(run)).toEqual([]);
      tellIndex(run, 4, succeeded);
      expect(condition(run, "SuccessCriteriaMet")).toMatchObject({
        message: "Matched rules at index 1",
      });
    },
  },
  {
    name: "where it meets a terminating policy too, that is respected and its success is not",
    source: successPolicy,
    check(run) {
      const both = { ...successRules({ succeededCount: 1 }), ...rules(onCodes("FailJob", [42])) };
      make(run, indexed(3, both));
      run.report(ofIndex(run, 0), succeeded);
      run.report(ofIndex(run, 1), { ...failed, exitCode: 42 });
      run.settle();
      clear(run);
      expect(condition(run, "Failed")).toMatchObject({ reason: "PodFailurePolicy" });
      expect(condition(run, "Complete")).toBeUndefined();
    },
  },
  {
    name: "a success policy is for Indexed Jobs, and immutable",
    source: successPolicy,
    check(run) {
      const refusal = refusalOf(() => make(run, successRules({ succeededCount: 1 })));
      expect(refusal.message).toContain("successPolicy");
      make(run, indexed(3, successRules({ succeededCount: 1 })));
      const other = successRules({ succeededCount: 2 });
      expect(refusalOf(() => edit(run, other)).message).toContain("immutable");
    },
  },
  {
    name: "pods that a success policy terminates do not fail the Job, whatever its backoffLimit",
    source: `${page}#terminal-job-conditions`,
    check(run) {
      make(run, indexed(3, { backoffLimit: 0, ...successRules({ succeededCount: 1 }) }));
      tell(run, run.live(), running);
      tellIndex(run, 0, succeeded);
      clear(run);
      expect(conditions(run)).toEqual([
        "SuccessCriteriaMet True SuccessPolicy",
        "Complete True SuccessPolicy",
      ]);
    },
  },
];

referenceTable("a Job's indexes and policies", [...indexCases, ...failureCases, ...successCases]);
