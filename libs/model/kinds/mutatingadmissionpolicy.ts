import * as z from "zod";
import { atomicList, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { failurePolicy, matchCondition, matchResources } from "../webhooks/match.ts";
import { paramKind, paramKindText, variable } from "../webhooks/policy.ts";

const expression = z.string().optional().meta({ proto: 1, description: "In CEL." });

const mutation = z
  .strictObject({
    patchType: z.enum(["ApplyConfiguration", "JSONPatch"]).meta({ proto: 2 }),
    applyConfiguration: z
      .strictObject({ expression })
      .meta({ title: "admissionregistration.v1.ApplyConfiguration" })
      .optional()
      .meta({ proto: 3 }),
    jsonPatch: z
      .strictObject({ expression })
      .meta({ title: "admissionregistration.v1.JSONPatch" })
      .optional()
      .meta({ proto: 4 }),
  })
  .meta({ title: "admissionregistration.v1.Mutation" });
export type Mutation = z.output<typeof mutation>;

const spec = z
  .strictObject({
    paramKind: paramKind.optional().meta({ proto: 1 }),
    matchConstraints: matchResources.optional().meta({ proto: 2 }),
    variables: z
      .array(variable)
      .optional()
      .meta({ proto: 3, ...atomicList }),
    mutations: z
      .array(mutation)
      .optional()
      .meta({ proto: 4, ...atomicList }),
    failurePolicy: failurePolicy.meta({ proto: 5 }),
    matchConditions: z
      .array(matchCondition)
      .optional()
      .meta({ proto: 6, ...mergeBy("name") }),
    reinvocationPolicy: z.enum(["Never", "IfNeeded"]).optional().meta({ proto: 7 }),
  })
  .meta({ title: "admissionregistration.v1.MutatingAdmissionPolicySpec" });

export const mutatingAdmissionPolicy = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  description: "Expressions that change what a request writes, once a binding says for whom.",
  spec: spec.prefault({}),
  columns: [
    { name: "Mutations", type: "integer", read: ({ spec }) => spec.mutations?.length ?? 0 },
    { name: "ParamKind", type: "string", read: ({ spec }) => paramKindText(spec.paramKind) },
  ],
});
export type MutatingAdmissionPolicy = ObjectOf<typeof mutatingAdmissionPolicy>;
