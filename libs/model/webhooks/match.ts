/** Which requests webhooks and admission policies concern. */
import * as z from "zod";
import { atomicList, atomicStruct } from "../field.ts";
import { labelSelector } from "../label-selector.ts";

const texts = (proto: number | readonly number[]) =>
  z
    .array(z.string())
    .optional()
    .meta({ proto, ...atomicList });
const operations = z.array(z.enum(["*", "CREATE", "UPDATE", "DELETE", "CONNECT"])).optional();
const scope = z.enum(["*", "Cluster", "Namespaced"]).default("*");

/** A rule and its operations; a part of messages that inline it lies deeper in protobuf. */
export const ruleWithOperations = z
  .strictObject({
    operations: operations.meta({ proto: 1, ...atomicList }),
    apiGroups: texts([2, 1]),
    apiVersions: texts([2, 2]),
    resources: texts([2, 3]),
    scope: scope.meta({ proto: [2, 4] }),
  })
  .meta({ title: "admissionregistration.v1.RuleWithOperations" });
export type RuleWithOperations = z.output<typeof ruleWithOperations>;

const namedRule = z
  .strictObject({
    resourceNames: texts(1),
    operations: operations.meta({ proto: [2, 1], ...atomicList }),
    apiGroups: texts([2, 2, 1]),
    apiVersions: texts([2, 2, 2]),
    resources: texts([2, 2, 3]),
    scope: scope.meta({ proto: [2, 2, 4] }),
  })
  .meta({
    title: "admissionregistration.v1.NamedRuleWithOperations",
    ...atomicStruct,
  });
export type NamedRuleWithOperations = z.output<typeof namedRule>;

export const matchPolicy = z.enum(["Exact", "Equivalent"]).default("Equivalent");
export const failurePolicy = z.enum(["Ignore", "Fail"]).default("Fail");
/** All objects. */
export const selectorOfAll = labelSelector.prefault({});

export const matchResources = z
  .strictObject({
    namespaceSelector: selectorOfAll.meta({ proto: 1 }),
    objectSelector: selectorOfAll.meta({ proto: 2 }),
    resourceRules: z
      .array(namedRule)
      .optional()
      .meta({ proto: 3, ...atomicList }),
    excludeResourceRules: z
      .array(namedRule)
      .optional()
      .meta({ proto: 4, ...atomicList, description: "Stronger than resourceRules." }),
    matchPolicy: matchPolicy.meta({ proto: 7 }),
  })
  .meta({ title: "admissionregistration.v1.MatchResources", ...atomicStruct });
export type MatchResources = z.output<typeof matchResources>;

export const matchCondition = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    expression: z.string().meta({ proto: 2, description: "In CEL; what is not true is left out." }),
  })
  .meta({ title: "admissionregistration.v1.MatchCondition" });
export type MatchCondition = z.output<typeof matchCondition>;
