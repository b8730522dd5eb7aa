import { defineKind, nameAndCreation, type ObjectOf } from "../kind.ts";
import { pathSegment } from "../names.ts";
import { rules } from "../rbac/rules.ts";

export const role = defineKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  namespaced: true,
  description: "What those may do in its namespace whom a RoleBinding names.",
  name: pathSegment,
  fields: {
    rules: rules("namespace"),
  },
  columnsAreAll: true,
  columns: nameAndCreation,
});
export type Role = ObjectOf<typeof role>;
