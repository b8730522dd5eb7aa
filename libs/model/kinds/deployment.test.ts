import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { deployment } from "./deployment.ts";
import { replicaSet } from "./replicaset.ts";

const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web:v1" }] },
};
const minimal = { selector: { matchLabels: { app: "web" } }, template };
const aDeployment = (spec: object = {}) =>
  parse(deployment, { metadata: { name: "web" }, spec: { ...minimal, ...spec } });

function refused(spec: object): readonly string[] {
  try {
    aDeployment(spec);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}

describe("a Deployment", () => {
  test("has Kubernetes' defaults", () => {
    const { template: _template, selector: _selector, ...spec } = aDeployment().spec;
    expect(spec).toEqual({
      replicas: 1,
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" },
      },
      minReadySeconds: 0,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
  });

  test("that recreates has no bounds, and one that states one bound keeps the other's default", () => {
    expect(aDeployment({ strategy: { type: "Recreate" } }).spec.strategy).toEqual({
      type: "Recreate",
    });
    const strategy = { rollingUpdate: { maxSurge: 0 } };
    expect(aDeployment({ strategy }).spec.strategy.rollingUpdate).toEqual({
      maxSurge: 0,
      maxUnavailable: "25%",
    });
  });

  test("leaves the pods' own defaults to its pods", () => {
    expect(aDeployment().spec.template.spec).not.toHaveProperty("enableServiceLinks");
  });

  test.each<[string, object, string]>([
    [
      "a selector that misses its template",
      { selector: { matchLabels: { app: "db" } } },
      "spec.template.metadata.labels",
    ],
    ["an empty selector", { selector: {} }, "spec.selector"],
    [
      "no movement",
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } },
      "spec.strategy.rollingUpdate.maxUnavailable",
    ],
    [
      "more than all unavailable",
      { strategy: { rollingUpdate: { maxUnavailable: "101%" } } },
      "spec.strategy.rollingUpdate.maxUnavailable",
    ],
    [
      "bounds that are no number",
      { strategy: { rollingUpdate: { maxSurge: "some" } } },
      "spec.strategy.rollingUpdate.maxSurge",
    ],
    [
      "bounds where it recreates",
      { strategy: { type: "Recreate", rollingUpdate: {} } },
      "spec.strategy.rollingUpdate",
    ],
    ["a deadline that it cannot meet", { minReadySeconds: 600 }, "spec.progressDeadlineSeconds"],
    [
      "pods that never restart",
      { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
      "spec.template.spec.restartPolicy",
    ],
    [
      "pods with a deadline",
      { template: { ...template, spec: { ...template.spec, activeDeadlineSeconds: 1 } } },
      "spec.template.spec.activeDeadlineSeconds",
    ],
  ])("is refused for %s", (_name, spec, field) => {
    expect(refused(spec)).toEqual([field]);
  });

  test("keeps its selector", () => {
    const other = {
      selector: { matchLabels: { app: "web", tier: "a" } },
      template: { ...template, metadata: { labels: { app: "web", tier: "a" } } },
    };
    const causes = deployment.validateUpdate(aDeployment(), aDeployment(other));
    expect(causes.map(({ field }) => field)).toEqual(["spec.selector"]);
    expect(deployment.validateUpdate(aDeployment(), aDeployment({ replicas: 3 }))).toEqual([]);
  });

  test("shows as in kubectl", () => {
    const one = parse(deployment, {
      metadata: { name: "web" },
      spec: { ...minimal, replicas: 3 },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    });
    const cells = deployment.columns.map((column) => [column.name, column.read(one, 0)]);
    expect(Object.fromEntries(cells)).toMatchObject({
      Ready: "2/3",
      "Up-to-date": 1,
      Available: 2,
      Containers: "web",
      Images: "web:v1",
      Selector: "app=web",
    });
  });
});

test("a ReplicaSet is checked as a Deployment is", () => {
  const spec = { ...minimal, selector: { matchLabels: { app: "db" } } };
  expect(() => parse(replicaSet, { metadata: { name: "web" }, spec })).toThrow(
    /does not match template/,
  );
  expect(parse(replicaSet, { metadata: { name: "web" }, spec: minimal }).spec.replicas).toBe(1);
});
