import * as z from "zod";
import { condition } from "../condition.ts";
import { atomicList, int64, mapBy, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { failurePolicy, matchCondition, matchResources } from "../webhooks/match.ts";
import { paramKind, paramKindText, variable } from "../webhooks/policy.ts";
import { policyFaults } from "../webhooks/policy-faults.ts";

const validation = z
  .strictObject({
    expression: z.string().meta({ proto: 1, description: "In CEL; what is not true is refused." }),
    message: z.string().optional().meta({ proto: 2 }),
    reason: z.string().optional().meta({ proto: 3 }),
    messageExpression: z.string().optional().meta({ proto: 4 }),
  })
  .meta({ title: "admissionregistration.v1.Validation" });
export type Validation = z.output<typeof validation>;

const auditAnnotation = z
  .strictObject({
    key: z.string().meta({ proto: 1 }),
    valueExpression: z.string().meta({ proto: 2 }),
  })
  .meta({ title: "admissionregistration.v1.AuditAnnotation" });

const spec = z
  .strictObject({
    paramKind: paramKind.optional().meta({ proto: 1 }),
    matchConstraints: matchResources.optional().meta({ proto: 2 }),
    validations: z
      .array(validation)
      .optional()
      .meta({ proto: 3, ...atomicList }),
    failurePolicy: failurePolicy.meta({ proto: 4 }),
    auditAnnotations: z
      .array(auditAnnotation)
      .optional()
      .meta({ proto: 5, ...atomicList }),
    matchConditions: z
      .array(matchCondition)
      .optional()
      .meta({ proto: 6, ...mergeBy("name") }),
    variables: z
      .array(variable)
      .optional()
      .meta({ proto: 7, ...mergeBy("name") }),
  })
  .meta({ title: "admissionregistration.v1.ValidatingAdmissionPolicySpec" });

const expressionWarning = z
  .strictObject({
    fieldRef: z.string().meta({ proto: 2 }),
    warning: z.string().meta({ proto: 3 }),
  })
  .meta({ title: "admissionregistration.v1.ExpressionWarning" });

const status = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 1 }),
    typeChecking: z
      .strictObject({
        expressionWarnings: z
          .array(expressionWarning)
          .optional()
          .meta({ proto: 1, ...atomicList }),
      })
      .meta({ title: "admissionregistration.v1.TypeChecking" })
      .optional()
      .meta({ proto: 2 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 3, ...mapBy("type") }),
  })
  .meta({ title: "admissionregistration.v1.ValidatingAdmissionPolicyStatus" });

export const validatingAdmissionPolicy = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  description: "Expressions that decide whether a request may pass, once a binding says for whom.",
  spec: spec.prefault({}),
  status,
  validate: ({ spec }) => policyFaults(spec),
  columns: [
    {
      name: "Validations",
      type: "integer",
      read: ({ spec }) => spec.validations?.length ?? 0,
    },
    { name: "ParamKind", type: "string", read: ({ spec }) => paramKindText(spec.paramKind) },
  ],
});
export type ValidatingAdmissionPolicy = ObjectOf<typeof validatingAdmissionPolicy>;
