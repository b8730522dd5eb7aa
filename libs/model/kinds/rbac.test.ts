import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { shownBy } from "../shown-fixture.ts";
import { clusterRole } from "./clusterrole.ts";
import { clusterRoleBinding } from "./clusterrolebinding.ts";
import { role } from "./role.ts";
import { roleBinding } from "./rolebinding.ts";

const metadata = { name: "system:web" };
const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const health = { nonResourceURLs: ["/healthz"], verbs: ["get"] };

test.each([
  [{ ...pods, verbs: [] }, "verbs: Required value: verbs must contain at least one value"],
  [
    { ...pods, apiGroups: [] },
    "apiGroups: Required value: resource rules must supply at least one api group",
  ],
  [
    { ...pods, resources: [] },
    "resources: Required value: resource rules must supply at least one resource",
  ],
  [
    health,
    'nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
  ],
])("a Role with the rule %j is refused", (rule, cause) => {
  expect(causesOf(() => parse(role, { metadata, rules: [rule] }))).toEqual([`rules[0].${cause}`]);
});

test("a ClusterRole speaks of paths or of resources, and needs a selector to gather others", () => {
  expect(parse(clusterRole, { metadata, rules: [health, pods] }).rules).toHaveLength(2);
  expect(causesOf(() => parse(clusterRole, { metadata, rules: [{ ...pods, ...health }] }))).toEqual(
    [
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  );
  expect(causesOf(() => parse(clusterRole, { metadata, aggregationRule: {} }))).toEqual([
    "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
  ]);
});

describe("a binding", () => {
  const roleRef = { kind: "ClusterRole", name: "view" };
  const user = { kind: "User", name: "ann" };
  const account = { kind: "ServiceAccount", name: "bot", namespace: "team" };

  test("fills in the groups of what it names", () => {
    const one = parse(roleBinding, { metadata, roleRef, subjects: [user, account] });
    const apiGroup = "rbac.authorization.k8s.io";
    expect(one).toMatchObject({ roleRef: { apiGroup }, subjects: [{ apiGroup }, account] });
    expect(one.subjects?.[1]).not.toHaveProperty("apiGroup");
  });

  test.each([
    [
      { roleRef: { kind: "Role", name: "a" } },
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ],
    [{ roleRef: { kind: "ClusterRole", name: "" } }, "roleRef.name: Required value"],
    [
      { subjects: [{ kind: "ServiceAccount", name: "bot" }] },
      "subjects[0].namespace: Required value",
    ],
    [
      { subjects: [{ ...user, apiGroup: "x" }] },
      'subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
    ],
  ])("of the cluster with %j is refused", (change, cause) => {
    const input = { metadata, roleRef, ...change };
    expect(causesOf(() => parse(clusterRoleBinding, input))).toEqual([cause]);
  });

  test("keeps its role, and shows whom it concerns", () => {
    const one = parse(roleBinding, { metadata, roleRef, subjects: [user, account] });
    const other = parse(roleBinding, { metadata, roleRef: { ...roleRef, name: "edit" } });
    expect(roleBinding.validateUpdate(one, one)).toEqual([]);
    expect(roleBinding.validateUpdate(one, other)[0]?.message).toMatch(/cannot change roleRef$/);
    expect(shownBy(roleBinding, one)).toMatchObject({
      Role: "ClusterRole/view",
      Users: "ann",
      Groups: "",
      ServiceAccounts: "team/bot",
    });
  });
});
