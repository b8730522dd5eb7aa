import * as z from "zod";
import { atomicList } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelSelector, selectorText } from "../label-selector.ts";
import { networkPolicyPeer, networkPolicyPort } from "../networking/policy-rule.ts";
import { problem } from "../problem.ts";

const ports = z
  .array(networkPolicyPort)
  .optional()
  .meta({ proto: 1, ...atomicList, description: "Absent: all ports." });
const peers = z
  .array(networkPolicyPeer)
  .optional()
  .meta({ proto: 2, ...atomicList, description: "Absent: everybody." });

const policyTypes = ["Egress", "Ingress"] as const;

const spec = z
  .strictObject({
    podSelector: labelSelector
      .prefault({})
      .meta({ proto: 1, description: "The pods that it concerns; empty: all of the namespace." }),
    ingress: z
      .array(
        z
          .strictObject({ ports, from: peers })
          .meta({ title: "networking.v1.NetworkPolicyIngressRule" }),
      )
      .optional()
      .meta({ proto: 2, ...atomicList }),
    egress: z
      .array(
        z
          .strictObject({ ports, to: peers })
          .meta({ title: "networking.v1.NetworkPolicyEgressRule" }),
      )
      .optional()
      .meta({ proto: 3, ...atomicList }),
    policyTypes: z
      .array(z.enum(policyTypes))
      .optional()
      .meta({ proto: 4, ...atomicList }),
  })
  .superRefine(({ policyTypes: types = [] }, context) => {
    if (types.length <= 2) return;
    const detail = `${JSON.stringify(types)}: may not specify more than two policyTypes`;
    context.addIssue(problem("FieldValueInvalid", ["policyTypes"], detail));
  })
  .overwrite((one) => ({ ...one, policyTypes: one.policyTypes ?? typesOf(one.egress) }))
  .meta({ title: "networking.v1.NetworkPolicySpec" });

/** What a policy concerns that does not say it. */
const typesOf = (egress: readonly unknown[] = []): (typeof policyTypes)[number][] =>
  egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];

export const networkPolicy = defineKind({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  short: ["netpol"],
  namespaced: true,
  description: "Who may talk to pods, and whom they may talk to.",
  spec: spec.prefault({}),
  columns: [
    {
      name: "Pod-Selector",
      type: "string",
      read: ({ spec: { podSelector } }) => selectorText(podSelector),
    },
  ],
});
export type NetworkPolicy = ObjectOf<typeof networkPolicy>;
