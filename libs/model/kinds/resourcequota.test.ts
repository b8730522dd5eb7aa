import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { resourceQuota } from "./resourcequota.ts";

const quota = (spec: object) =>
  parse(resourceQuota, { metadata: { name: "q", namespace: "team" }, spec });

describe("a ResourceQuota", () => {
  test.each([
    { hard: { pods: "1", "requests.cpu": "500m", "count/deployments.apps": "2" } },
    { hard: { "gold.storageclass.storage.k8s.io/requests.storage": "1Gi" } },
    { hard: { "requests.hugepages-2Mi": "1Gi", "requests.example.com/gpu": "4" } },
  ])("takes $hard", (spec) => {
    expect(quota(spec).spec.hard).toEqual(spec.hard);
  });

  test.each([
    { spec: { hard: { nonsense: "1" } }, said: "must be a standard resource for quota" },
    { spec: { hard: { pods: "500m" } }, said: "must be an integer" },
    { spec: { hard: { pods: "-1" } }, said: "must be greater than or equal to 0" },
    { spec: { scopes: ["BestEffort", "NotBestEffort"] }, said: "conflicting scopes" },
    { spec: { scopes: ["Sometimes"] }, said: "spec.scopes[0]" },
    {
      spec: {
        scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In" }] },
      },
      said: "must be at least one value",
    },
  ])("refuses $spec", ({ spec, said }) => {
    expect(causesOf(() => quota(spec)).join()).toContain(said);
  });

  test("keeps its scopes", () => {
    const [before, after] = [quota({ scopes: ["Terminating"] }), quota({ scopes: ["BestEffort"] })];
    expect(resourceQuota.validateUpdate(before, after).map(({ field }) => field)).toEqual([
      "spec.scopes",
    ]);
    expect(resourceQuota.validateUpdate(before, before)).toEqual([]);
  });
});
