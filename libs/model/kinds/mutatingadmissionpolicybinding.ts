import * as z from "zod";
import { defineKind, type ObjectOf } from "../kind.ts";
import { matchResources } from "../webhooks/match.ts";
import { paramRef, paramRefText } from "../webhooks/policy.ts";

const spec = z
  .strictObject({
    policyName: z.string().optional().meta({ proto: 1 }),
    paramRef: paramRef.optional().meta({ proto: 2 }),
    matchResources: matchResources
      .optional()
      .meta({ proto: 3, description: "Requests that both this and the policy match." }),
  })
  .meta({ title: "admissionregistration.v1.MutatingAdmissionPolicyBindingSpec" });

export const mutatingAdmissionPolicyBinding = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  categories: ["api-extensions"],
  namespaced: false,
  description: "For whom a MutatingAdmissionPolicy holds, with which parameters.",
  spec: spec.prefault({}),
  columns: [
    { name: "PolicyName", type: "string", read: ({ spec }) => spec.policyName ?? "" },
    { name: "ParamRef", type: "string", read: ({ spec }) => paramRefText(spec.paramRef) },
  ],
});
export type MutatingAdmissionPolicyBinding = ObjectOf<typeof mutatingAdmissionPolicyBinding>;
