import { validatingAdmissionPolicy } from "../../../libs/model/kinds/validatingadmissionpolicy.ts";
import { controller } from "../controller.ts";

/** Says which generation of a policy is known to compile: admission has refused what does not. */
export const validatingAdmissionPolicies = controller({
  kind: validatingAdmissionPolicy,
  owns: [],
  read: () => undefined,
  decide: ({ metadata, status }) => ({
    writes: [],
    status: { ...status, observedGeneration: metadata.generation, typeChecking: {} },
    wakeAt: undefined,
    events: [],
  }),
});
