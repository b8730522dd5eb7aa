import * as z from "zod";
import { atomicList } from "../field.ts";
import { defineKind, nameAndCreation, type ObjectOf } from "../kind.ts";
import { labelSelector } from "../label-selector.ts";
import { pathSegment } from "../names.ts";
import { problem } from "../problem.ts";
import { rules } from "../rbac/rules.ts";

const aggregationRule = z
  .strictObject({
    clusterRoleSelectors: z
      .array(labelSelector)
      .optional()
      .meta({ proto: 1, ...atomicList }),
  })
  .superRefine(({ clusterRoleSelectors = [] }, context) => {
    if (clusterRoleSelectors.length > 0) return;
    const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    context.addIssue(problem("FieldValueRequired", ["clusterRoleSelectors"], detail));
  })
  .meta({ title: "rbac.v1.AggregationRule" });

export const clusterRole = defineKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
  description: "What those may do whom a ClusterRoleBinding, or a RoleBinding, names.",
  name: pathSegment,
  fields: {
    rules: rules("cluster"),
    aggregationRule: aggregationRule
      .optional()
      .meta({ proto: 3, description: "Roles whose rules are its own." }),
  },
  columnsAreAll: true,
  columns: nameAndCreation,
});
export type ClusterRole = ObjectOf<typeof clusterRole>;
