import * as z from "zod";
import { setList } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { matchResources } from "../webhooks/match.ts";
import { paramRef, paramRefText } from "../webhooks/policy.ts";
import { bindingFaults } from "../webhooks/policy-faults.ts";

const spec = z
  .strictObject({
    policyName: z.string().optional().meta({ proto: 1 }),
    paramRef: paramRef.optional().meta({ proto: 2 }),
    matchResources: matchResources
      .optional()
      .meta({ proto: 3, description: "Requests that both this and the policy match." }),
    validationActions: z
      .array(z.enum(["Audit", "Deny", "Warn"]))
      .optional()
      .meta({ proto: 4, ...setList }),
  })
  .meta({ title: "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec" });

export const validatingAdmissionPolicyBinding = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  categories: ["api-extensions"],
  namespaced: false,
  description: "For whom a ValidatingAdmissionPolicy holds, with which parameters.",
  spec: spec.prefault({}),
  validate: ({ spec }) => bindingFaults(spec),
  columns: [
    { name: "PolicyName", type: "string", read: ({ spec }) => spec.policyName ?? "" },
    { name: "ParamRef", type: "string", read: ({ spec }) => paramRefText(spec.paramRef) },
  ],
});
export type ValidatingAdmissionPolicyBinding = ObjectOf<typeof validatingAdmissionPolicyBinding>;
