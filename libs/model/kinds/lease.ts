import * as z from "zod";
import { int32 } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelKeyFault } from "../names.ts";
import { problem } from "../problem.ts";
import { microTime } from "../time.ts";

/** Where the Leases of nodes lie, under the nodes' names. */
export const nodeLeaseNamespace = "kube-node-lease";

/** Strategies without a domain are Kubernetes' own. */
const strategies = ["OldestEmulationVersion"];

const spec = z
  .strictObject({
    holderIdentity: z.string().optional().meta({ proto: 1, description: "Who holds it." }),
    leaseDurationSeconds: int32.optional().meta({
      proto: 2,
      description: "How long others wait after the last renewal before they take it.",
    }),
    acquireTime: microTime.optional().meta({ proto: 3 }),
    renewTime: microTime.optional().meta({ proto: 4, description: "When it was last renewed." }),
    leaseTransitions: int32.optional().meta({
      proto: 5,
      description: "How often it has gone from one holder to another.",
    }),
    strategy: z.string().optional().meta({ proto: 6 }),
    preferredHolder: z.string().optional().meta({ proto: 7 }),
  })
  .superRefine((spec, context) => {
    const { leaseDurationSeconds: duration = 1, leaseTransitions: transitions = 0 } = spec;
    if (duration <= 0) {
      const detail = `${duration}: must be greater than 0`;
      context.addIssue(problem("FieldValueInvalid", ["leaseDurationSeconds"], detail));
    }
    if (transitions < 0) {
      const detail = `${transitions}: must be greater than or equal to 0`;
      context.addIssue(problem("FieldValueInvalid", ["leaseTransitions"], detail));
    }
    const strategy = spec.strategy === undefined ? undefined : strategyProblem(spec.strategy);
    if (strategy !== undefined) context.addIssue(strategy);
    if ((spec.preferredHolder ?? "") !== "" && (spec.strategy ?? "") === "") {
      const detail = "may only be specified if `strategy` is defined";
      context.addIssue(problem("FieldValueForbidden", ["preferredHolder"], detail));
    }
  })
  .meta({ title: "coordination.v1.LeaseSpec" });

function strategyProblem(strategy: string) {
  const shown = JSON.stringify(strategy);
  if (strategy.includes("/")) {
    const fault = labelKeyFault(strategy);
    return fault === undefined
      ? undefined
      : problem("FieldValueInvalid", ["strategy"], `${shown}: ${fault}`);
  }
  if (strategies.includes(strategy)) return undefined;
  const supported = strategies.map((one) => JSON.stringify(one)).join(", ");
  return problem(
    "FieldValueNotSupported",
    ["strategy"],
    `${shown}: supported values: ${supported}`,
  );
}

export const lease = defineKind({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
  description: "Held by one of several who want it, and renewed while they live.",
  spec: spec.prefault({}),
  columns: [{ name: "Holder", type: "string", read: ({ spec }) => spec.holderIdentity ?? "" }],
});
export type Lease = ObjectOf<typeof lease>;
