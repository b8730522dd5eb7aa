import * as z from "zod";
import { condition } from "../condition.ts";
import { atomicList, mapBy, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { isCidr } from "../networking/cidr.ts";
import { problem } from "../problem.ts";

/** One of each family. */
const rangesMax = 2;

const spec = z
  .strictObject({
    cidrs: z
      .array(z.string())
      .optional()
      .meta({ proto: 1, ...atomicList, description: "Of which Services get their addresses." }),
  })
  .superRefine(({ cidrs = [] }, context) => {
    if (cidrs.length === 0) {
      const detail = "at least one CIDR required";
      context.addIssue(problem("FieldValueRequired", ["cidrs"], detail));
    }
    if (cidrs.length > rangesMax) {
      const detail = `${JSON.stringify(cidrs)}: may only hold up to ${rangesMax} values`;
      context.addIssue(problem("FieldValueInvalid", ["cidrs"], detail));
    }
    for (const [at, cidr] of cidrs.entries()) {
      if (isCidr(cidr)) continue;
      const detail = `${JSON.stringify(cidr)}: must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`;
      context.addIssue(problem("FieldValueInvalid", ["cidrs", at], detail));
    }
  })
  .meta({ title: "networking.v1.ServiceCIDRSpec" });

const status = z
  .strictObject({
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 1, ...mergeBy("type"), ...mapBy("type") }),
  })
  .meta({ title: "networking.v1.ServiceCIDRStatus" });

export const serviceCidr = defineKind({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
  description: "The range of which Services get their addresses.",
  spec: spec.prefault({}),
  status,
  validateUpdate: ({ spec: before }, { spec: after }) =>
    JSON.stringify(before.cidrs) === JSON.stringify(after.cidrs)
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "spec.cidrs",
            message: `Invalid value: ${JSON.stringify(after.cidrs)}: field is immutable`,
          },
        ],
  columns: [{ name: "CIDRs", type: "string", read: ({ spec: { cidrs = [] } }) => cidrs.join(",") }],
});
export type ServiceCidr = ObjectOf<typeof serviceCidr>;
