import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { horizontalPodAutoscaler as kind } from "./horizontalpodautoscaler.ts";

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const metadata = { name: "web", namespace: "default" };
const autoscaler = (spec: object, more: object = {}) =>
  parse(kind, { metadata, spec: { scaleTargetRef, maxReplicas: 5, ...spec }, ...more });

function causesOf(spec: object): readonly string[] {
  try {
    autoscaler(spec);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
  }
}

const utilization = (averageUtilization: number) => ({ type: "Utilization", averageUtilization });
const cpu = (target: object) => ({ type: "Resource", resource: { name: "cpu", target } });
const external = (target: object, metric: object = { name: "lag" }) => ({
  type: "External",
  external: { metric, target },
});
const average = { type: "AverageValue", averageValue: "10" };

test("defaults to one pod at least, and to 80 % of CPU", () => {
  expect(autoscaler({}).spec).toEqual({
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [cpu(utilization(80))],
  });
  expect(autoscaler({ metrics: [] }).spec.metrics).toEqual([cpu(utilization(80))]);
});

test("fills in what a behaviour leaves open, and the window of scaling down alone stays so", () => {
  const { behavior } = autoscaler({ behavior: { scaleDown: { selectPolicy: "Min" } } }).spec;
  expect(behavior?.scaleUp).toEqual({
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  expect(behavior?.scaleDown).toEqual({
    selectPolicy: "Min",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  });
});

describe("refuses", () => {
  const policy = { type: "Pods", value: 1, periodSeconds: 1 };
  const up = (rules: object) => ({ behavior: { scaleUp: rules } });
  test.each<readonly [string, object, string]>([
    ["fewer than none", { minReplicas: -1 }, "spec.minReplicas: Invalid value: -1: must be"],
    [
      "none without a metric that none can have",
      { minReplicas: 0 },
      "spec.metrics: Forbidden: must specify at least one Object or External metric",
    ],
    ["no pod at most", { maxReplicas: 0 }, "spec.maxReplicas: Invalid value: 0: must be greater"],
    [
      "a maximum below the minimum",
      { minReplicas: 9 },
      "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`",
    ],
    [
      "a target without a kind",
      { scaleTargetRef: { kind: "", name: "web" } },
      "spec.scaleTargetRef.kind: Required value",
    ],
    [
      "a target that is a path",
      { scaleTargetRef: { kind: "Deployment", name: "a/b" } },
      "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'",
    ],
    [
      "an unknown type of metric",
      { metrics: [{ type: "Cpu" }] },
      'spec.metrics[0].type: Unsupported value: "Cpu"',
    ],
    [
      "a type without its source",
      { metrics: [{ type: "Pods" }] },
      "spec.metrics[0].pods: Required value: must populate information for the given metric source",
    ],
    [
      "the source of another type beside",
      { metrics: [{ ...cpu(utilization(50)), external: external(average).external }] },
      "spec.metrics[0].external: Forbidden: must populate the given metric source only",
    ],
    [
      "a resource without a target",
      { metrics: [cpu({ type: "Utilization" })] },
      "spec.metrics[0].resource.target.averageUtilization: Required value: must set either",
    ],
    [
      "a resource with two targets",
      { metrics: [cpu({ ...utilization(50), averageValue: "1" })] },
      "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both",
    ],
    [
      "a utilization of nothing",
      { metrics: [cpu(utilization(0))] },
      "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater",
    ],
    [
      "an unknown type of target",
      { metrics: [cpu({ type: "Percent", averageUtilization: 1 })] },
      'spec.metrics[0].resource.target.type: Invalid value: "Percent": must be either',
    ],
    [
      "a resource that no container requests",
      { metrics: [{ type: "Resource", resource: { name: "pods", target: utilization(1) } }] },
      'spec.metrics[0].resource.name: Invalid value: "pods": must be a standard resource',
    ],
    [
      "a metric without a name",
      { metrics: [external(average, { name: "" })] },
      "spec.metrics[0].external.metric.name: Required value: must specify a metric name",
    ],
    [
      "an external metric with two targets",
      { metrics: [external({ ...average, value: "5" })] },
      "spec.metrics[0].external.target.value: Forbidden: may not set both",
    ],
    [
      "a target of nothing",
      { metrics: [external({ type: "Value", value: "0" })] },
      'spec.metrics[0].external.target.value: Invalid value: "0": must be positive',
    ],
    [
      "pods' metric as a whole",
      {
        metrics: [
          { type: "Pods", pods: { metric: { name: "m" }, target: { type: "Value", value: "1" } } },
        ],
      },
      "spec.metrics[0].pods.target.averageValue: Required value",
    ],
    [
      "a container's resource without its container",
      {
        metrics: [
          { type: "ContainerResource", containerResource: { name: "cpu", target: utilization(1) } },
        ],
      },
      "spec.metrics[0].containerResource.container: Required value",
    ],
    [
      "a window of more than an hour",
      up({ stabilizationWindowSeconds: 3_601 }),
      "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less",
    ],
    [
      "no policy at all",
      up({ policies: [] }),
      "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
    ],
    [
      "a policy of no change",
      up({ policies: [{ ...policy, value: 0 }] }),
      "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
    ],
    [
      "a policy's period of more than half an hour",
      up({ policies: [{ ...policy, periodSeconds: 1_801 }] }),
      "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less",
    ],
    [
      "a policy of another type",
      up({ policies: [{ ...policy, type: "Nodes" }] }),
      'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Nodes"',
    ],
    [
      "a tolerance below nothing",
      up({ tolerance: "-0.1" }),
      "spec.behavior.scaleUp.tolerance: Invalid value: must be greater than or equal to zero",
    ],
  ])("%s", (_name, spec, expected) => {
    expect(causesOf(spec).find((cause) => cause.startsWith(expected))).toBeDefined();
  });
});

test("none is fine with a metric that none can have", () => {
  expect(causesOf({ minReplicas: 0, metrics: [external(average)] })).toEqual([]);
});

describe("its columns", () => {
  const shown = (one: ReturnType<typeof autoscaler>) =>
    kind.columns.slice(1, -1).map((column) => column.read(one, 0));

  test("are kubectl's", () => {
    expect(kind.columns.map(({ name }) => name)).toEqual([
      "Name",
      "Reference",
      "Targets",
      "MinPods",
      "MaxPods",
      "Replicas",
      "Age",
    ]);
    expect(shown(autoscaler({}))).toEqual(["Deployment/web", "cpu: <unknown>/80%", "1", 5, 0]);
  });

  test("tell two metrics, and how many more there are", () => {
    const metrics = [
      cpu(utilization(50)),
      external(average),
      cpu({ type: "AverageValue", averageValue: "100m" }),
    ];
    const currentMetrics = [
      {
        type: "Resource",
        resource: { name: "cpu", current: { averageUtilization: 12, averageValue: "12m" } },
      },
      { type: "External", external: { metric: { name: "lag" }, current: { averageValue: "3" } } },
    ];
    const status = { currentReplicas: 2, currentMetrics };
    expect(shown(autoscaler({ metrics }, { status }))).toEqual([
      "Deployment/web",
      "cpu: 12%/50%, 3/10 (avg) + 1 more...",
      "1",
      5,
      2,
    ]);
  });
});

describe("as autoscaling/v1", () => {
  const [v1] = kind.versions;
  const there = (object: unknown) => v1?.stored?.fromStorage(object) as Record<string, never>;
  const back = (object: unknown) => parse(kind, v1?.stored?.toStorage(object));

  test("has one target, of CPU", () => {
    const shown = there(autoscaler({ metrics: [cpu(utilization(50))] }));
    expect(shown["apiVersion"]).toBe("autoscaling/v1");
    expect(shown["spec"]).toEqual({
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 5,
      targetCPUUtilizationPercentage: 50,
    });
    expect(back({ metadata, spec: { scaleTargetRef, maxReplicas: 5 } }).spec.metrics).toEqual([
      cpu(utilization(80)),
    ]);
  });

  test("drops an annotation that somebody wrote by hand and wrongly", () => {
    const annotations = { "autoscaling.alpha.kubernetes.io/metrics": "[{", mine: "kept" };
    const read = back({
      metadata: { ...metadata, annotations },
      spec: { scaleTargetRef, maxReplicas: 5 },
    });
    expect(read.metadata.annotations).toEqual({ mine: "kept" });
  });

  test("loses nothing there and back", () => {
    const metric = fc.oneof(
      fc.integer({ min: 1, max: 100 }).map((percent) => cpu(utilization(percent))),
      fc.constant(external(average, { name: "lag", selector: { matchLabels: { a: "b" } } })),
      fc.constant({ type: "Pods", pods: { metric: { name: "m" }, target: average } }),
    );
    const rules = fc.option(
      fc.record({
        scaleUp: fc.record({ stabilizationWindowSeconds: fc.integer({ min: 0, max: 60 }) }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 4 }), rules, (metrics, behavior) => {
        const conditions = [{ type: "AbleToScale", status: "True" }];
        const status = { desiredReplicas: 3, currentReplicas: 2, conditions };
        const one = autoscaler({ metrics, ...(behavior && { behavior }) }, { status });
        const again = back(there(one));
        const sorted = (specs: readonly object[]) =>
          specs.map((spec) => JSON.stringify(spec)).toSorted();
        expect(sorted(again.spec.metrics)).toEqual(sorted(one.spec.metrics));
        expect({ ...again, spec: { ...again.spec, metrics: [] } }).toEqual({
          ...one,
          spec: { ...one.spec, metrics: [] },
        });
      }),
    );
  });
});
