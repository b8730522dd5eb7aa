import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { job, type Job } from "./job.ts";

const container = { name: "work", image: "work:v1" };
const template = { spec: { restartPolicy: "Never", containers: [container] } };
const aJob = (spec: object = {}, metadata: object = {}): Job =>
  parse(job, { metadata: { name: "work", ...metadata }, spec: { template, ...spec } });

/** The fields at fault. */
function refused(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}
const indexed = { completionMode: "Indexed", completions: 3 };
const exitCodes = (values: readonly number[], more: object = {}) => ({
  podFailurePolicy: {
    rules: [{ action: "FailJob", onExitCodes: { operator: "In", values, ...more } }],
  },
});
const success = (rule: object) => ({ ...indexed, successPolicy: { rules: [rule] } });

describe("a Job", () => {
  test("has Kubernetes' defaults", () => {
    const { template: _template, ...spec } = aJob().spec;
    expect(spec).toEqual({
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: "TerminatingOrFailed",
    });
  });

  test("of a stated parallelism needs one success alone", () => {
    expect(aJob({ parallelism: 3 }).spec.completions).toBeUndefined();
  });

  test("with a limit for each index has none of its own", () => {
    const { backoffLimit } = aJob({ ...indexed, backoffLimitPerIndex: 1 }).spec;
    expect(backoffLimit).toBe(2 ** 31 - 1);
  });

  test("with a failure policy replaces what has failed alone", () => {
    expect(aJob(exitCodes([42])).spec.podReplacementPolicy).toBe("Failed");
  });

  test("takes its template's labels when it has none", () => {
    const labelled = { template: { ...template, metadata: { labels: { app: "a" } } } };
    expect(aJob(labelled).metadata.labels).toEqual({ app: "a" });
    expect(aJob(labelled, { labels: { b: "c" } }).metadata.labels).toEqual({ b: "c" });
  });

  test.each<[string, object, string]>([
    [
      "pods that always restart",
      { template: { spec: { containers: [container] } } },
      "spec.template.spec.restartPolicy",
    ],
    [
      "indexes without a number of them",
      { completionMode: "Indexed", parallelism: 2 },
      "spec.completions",
    ],
    ["too many at once", { ...indexed, parallelism: 100_001 }, "spec.parallelism"],
    ["limits of indexes that it has not", { backoffLimitPerIndex: 1 }, "spec.backoffLimitPerIndex"],
    [
      "a maximum of failed indexes without their limit",
      { ...indexed, maxFailedIndexes: 1 },
      "spec.backoffLimitPerIndex",
    ],
    [
      "a maximum of failed indexes above their number",
      { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 4 },
      "spec.maxFailedIndexes",
    ],
    [
      "a failure policy for pods that restart",
      { ...exitCodes([1]), template: { spec: { ...template.spec, restartPolicy: "OnFailure" } } },
      "spec.template.spec.restartPolicy",
    ],
    [
      "early successors with a failure policy",
      { ...exitCodes([1]), podReplacementPolicy: "TerminatingOrFailed" },
      "spec.podReplacementPolicy",
    ],
    ["exit code 0", exitCodes([0]), "spec.podFailurePolicy.rules[0].onExitCodes.values"],
    [
      "exit codes in disorder",
      exitCodes([3, 1]),
      "spec.podFailurePolicy.rules[0].onExitCodes.values",
    ],
    [
      "exit codes of another container",
      exitCodes([1], { containerName: "other" }),
      "spec.podFailurePolicy.rules[0].onExitCodes.containerName",
    ],
    [
      "a rule without a requirement",
      { podFailurePolicy: { rules: [{ action: "Ignore" }] } },
      "spec.podFailurePolicy.rules[0]",
    ],
    [
      "failing indexes that it does not limit",
      {
        podFailurePolicy: {
          rules: [{ action: "FailIndex", onPodConditions: [{ type: "DisruptionTarget" }] }],
        },
      },
      "spec.podFailurePolicy.rules[0].action",
    ],
    [
      "a success policy without indexes",
      { successPolicy: { rules: [{ succeededCount: 1 }] } },
      "spec.successPolicy",
    ],
    ["an empty success rule", success({}), "spec.successPolicy.rules[0]"],
    [
      "indexes that it has not",
      success({ succeededIndexes: "1-3" }),
      "spec.successPolicy.rules[0].succeededIndexes",
    ],
    [
      "indexes that are none",
      success({ succeededIndexes: "x" }),
      "spec.successPolicy.rules[0].succeededIndexes",
    ],
    [
      "more successes than indexes",
      success({ succeededIndexes: "0,1", succeededCount: 3 }),
      "spec.successPolicy.rules[0].succeededCount",
    ],
    ["a selector that it ought to have", { manualSelector: true }, "spec.selector"],
    [
      "a selector that misses its pods",
      { manualSelector: true, selector: { matchLabels: { a: "b" } } },
      "spec.template.metadata.labels",
    ],
  ])("is refused for %s", (_name, spec, field) => {
    expect(refused(() => aJob(spec))).toEqual([field]);
  });

  test("is refused for a name that leaves no room for an index", () => {
    expect(refused(() => aJob(indexed, { name: "a".repeat(62) }))).toEqual(["metadata.name"]);
    expect(refused(() => aJob({}, { name: "a".repeat(62) }))).toEqual([]);
  });

  const changes = (before: Job, after: Job) =>
    job.validateUpdate(before, after).map(({ field }) => field);
  const other = { template: { spec: { ...template.spec, nodeSelector: { disk: "ssd" } } } };

  test("keeps its completions and its template", () => {
    expect(changes(aJob(), aJob({ completions: 2, ...other }))).toEqual([
      "spec.completions",
      "spec.template",
    ]);
    expect(changes(aJob(), aJob({ parallelism: 2, completions: 1, suspend: true }))).toEqual([]);
  });

  test("of indexes may grow and shrink", () => {
    const sized = (size: number) => aJob({ ...indexed, completions: size, parallelism: size });
    expect(changes(sized(2), sized(5))).toEqual([]);
    expect(changes(sized(2), aJob({ ...indexed, completions: 5 }))).toEqual(["spec.completions"]);
  });

  test("may move to other nodes while it is suspended and has not started", () => {
    const before = aJob({ suspend: true });
    expect(changes(before, aJob(other))).toEqual([]);
    const started = { ...before, status: { startTime: "2026-01-01T00:00:00Z" } };
    expect(changes(started, aJob(other))).toEqual(["spec.template"]);
  });

  const shown = (one: Job, name: string) =>
    job.columns.find((column) => column.name === name)?.read(one, Date.UTC(2026, 0, 1, 0, 1));
  const condition = (type: string) => ({ conditions: [{ type, status: "True" as const }] });

  test("shows its state, its completions and how long it ran", () => {
    expect(shown({ ...aJob(), status: condition("Complete") }, "Status")).toBe("Complete");
    expect(shown({ ...aJob(), status: condition("Suspended") }, "Status")).toBe("Suspended");
    expect(shown(aJob(), "Status")).toBe("Running");
    expect(shown(aJob({ completions: 5 }), "Completions")).toBe("0/5");
    expect(shown(aJob({ parallelism: 3 }), "Completions")).toBe("0/1 of 3");
    const started = { startTime: "2026-01-01T00:00:00Z" };
    expect(shown({ ...aJob(), status: started }, "Duration")).toBe("60s");
    const ended = { ...started, completionTime: "2026-01-01T00:00:05Z" };
    expect(shown({ ...aJob(), status: ended }, "Duration")).toBe("5s");
  });
});
