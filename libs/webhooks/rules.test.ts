import { describe, expect, test } from "vitest";
import type { Kind } from "../model/kind.ts";
import { deployment } from "../model/kinds/deployment.ts";
import { horizontalPodAutoscaler } from "../model/kinds/horizontalpodautoscaler.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { node } from "../model/kinds/node.ts";
import { pod } from "../model/kinds/pod.ts";
import { ruleWithOperations } from "../model/webhooks/match.ts";
import type { AdmissionRequest } from "./request.ts";
import { matchedForm } from "./rules.ts";

const request = (kind: Kind, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  operation: "CREATE",
  kind,
  subresource: "",
  namespace: kind.namespaced ? "default" : undefined,
  name: "web",
  user: { username: "me", groups: [] },
  dryRun: false,
  options: undefined,
  ...more,
});
const rule = (more: object) =>
  ruleWithOperations.parse({
    operations: ["CREATE"],
    apiGroups: ["*"],
    apiVersions: ["*"],
    resources: ["*"],
    ...more,
  });

type Row = readonly [name: string, rule: object, request: AdmissionRequest, matches: boolean];

describe("a rule", () => {
  test.each<Row>([
    ["names everything", {}, request(pod), true],
    ["names an operation", { operations: ["UPDATE"] }, request(pod), false],
    ["names every operation", { operations: ["*"] }, request(pod, { operation: "CONNECT" }), true],
    ["names the core group", { apiGroups: [""] }, request(pod), true],
    ["of the core group names no other", { apiGroups: [""] }, request(deployment), false],
    ["names a group", { apiGroups: ["batch", "apps"] }, request(deployment), true],
    ["names a version", { apiVersions: ["v2"] }, request(pod), false],
    ["names a resource", { resources: ["pods"] }, request(pod), true],
    ["names another resource", { resources: ["nodes"] }, request(pod), false],
    ["without a slash names no subresource", {}, request(pod, { subresource: "exec" }), false],
    [
      "names a subresource",
      { resources: ["pods/exec"] },
      request(pod, { subresource: "exec" }),
      true,
    ],
    ["of a subresource is not of the object", { resources: ["pods/exec"] }, request(pod), false],
    ["of all of a resource is of the object too", { resources: ["pods/*"] }, request(pod), true],
    [
      "names a subresource of all",
      { resources: ["*/scale"] },
      request(deployment, { subresource: "scale" }),
      true,
    ],
    ["names all of all", { resources: ["*/*"] }, request(pod, { subresource: "status" }), true],
    ["is of what is in namespaces", { scope: "Namespaced" }, request(pod), true],
    ["is not of what is in none", { scope: "Namespaced" }, request(node), false],
    ["is of what is in none", { scope: "Cluster" }, request(node), true],
    ["is not of what is in one", { scope: "Cluster" }, request(pod), false],
    ["counts a Namespace as in none", { scope: "Cluster" }, request(namespace), true],
    ["names nothing", { resources: [] }, request(pod), false],
  ])("%s", (_name, given, asked, matches) => {
    expect(matchedForm([rule(given)], "Exact", asked) !== undefined).toBe(matches);
  });

  const v2 = horizontalPodAutoscaler;
  const v1 = v2.versions.find(({ version }) => version === "v1") ?? v2;

  test.each([
    ["the client's own version first", ["v1", "v2"], "Equivalent", v2, "v2"],
    ["another version", ["v1"], "Equivalent", v2, "v1"],
    ["the stored version", ["v2"], "Equivalent", v1, "v2"],
    ["no other version when it must be exact", ["v1"], "Exact", v2, undefined],
    ["no version that is not served", ["v3"], "Equivalent", v2, undefined],
  ] as const)("matches %s", (_name, apiVersions, matchPolicy, kind, version) => {
    const rules = [rule({ apiVersions })];
    expect(matchedForm(rules, matchPolicy, request(kind))?.version).toBe(version);
  });

  test("may name objects", () => {
    const named = { ...rule({}), resourceNames: ["db", "web"] };
    expect(matchedForm([named], "Exact", request(pod))).toBe(pod);
    expect(matchedForm([named], "Exact", request(pod, { name: "other" }))).toBeUndefined();
  });
});
