import { defineKind, type ObjectOf } from "../kind.ts";
import { pathSegment } from "../names.ts";
import { bindingColumns, bindingFields, roleIsImmutable } from "../rbac/bindings.ts";

export const clusterRoleBinding = defineKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  namespaced: false,
  description: "Gives a role to users, groups and service accounts, everywhere.",
  name: pathSegment,
  fields: bindingFields(["ClusterRole"]),
  validateUpdate: roleIsImmutable,
  columns: bindingColumns,
});
export type ClusterRoleBinding = ObjectOf<typeof clusterRoleBinding>;
