import { defineKind, type ObjectOf } from "../kind.ts";
import { pathSegment } from "../names.ts";
import { bindingColumns, bindingFields, roleIsImmutable } from "../rbac/bindings.ts";

export const roleBinding = defineKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  namespaced: true,
  description: "Gives a role to users, groups and service accounts, in its namespace.",
  name: pathSegment,
  fields: bindingFields(["ClusterRole", "Role"]),
  validateUpdate: roleIsImmutable,
  columns: bindingColumns,
});
export type RoleBinding = ObjectOf<typeof roleBinding>;
