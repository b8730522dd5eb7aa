import { dequal } from "dequal";
import * as z from "zod";
import { atomicList } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { problem } from "../problem.ts";
import { resourceList } from "../quantity.ts";

const scopes = [
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
] as const;
export type QuotaScope = (typeof scopes)[number];

const scopeRequirement = z
  .strictObject({
    scopeName: z.enum(scopes).meta({ proto: 1 }),
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).meta({ proto: 2 }),
    values: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList }),
  })
  .superRefine(({ scopeName, operator, values = [] }, context) => {
    const takesValues = operator === "In" || operator === "NotIn";
    if (takesValues && values.length === 0) {
      const detail =
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      context.addIssue(problem("FieldValueRequired", ["values"], detail));
    }
    if (!takesValues && values.length > 0) {
      const detail =
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      context.addIssue(problem("FieldValueInvalid", ["values"], detail));
    }
    if (scopeName !== "PriorityClass" && operator !== "Exists") {
      const detail =
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      context.addIssue(problem("FieldValueInvalid", ["operator"], detail));
    }
  })
  .meta({ title: "core.v1.ScopedResourceSelectorRequirement" });
export type ScopeRequirement = z.output<typeof scopeRequirement>;

/** Resources that come in whole numbers. */
const counts = new Set([
  "pods",
  "services",
  "services.nodeports",
  "services.loadbalancers",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
]);
const amounts = new Set(
  ["cpu", "memory", "ephemeral-storage"]
    .flatMap((name) => [name, `requests.${name}`, `limits.${name}`])
    .concat("requests.storage"),
);
/** With a slash: `count/<resource>`, a class's, or an extended resource. */
export const isQuotaResource = (name: string): boolean =>
  counts.has(name) ||
  amounts.has(name) ||
  name.includes("/") ||
  /^(requests\.)?hugepages-/.test(name);

const opposites: readonly (readonly [QuotaScope, QuotaScope])[] = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

const spec = z
  .strictObject({
    hard: resourceList.optional().meta({ proto: 1, description: "What may be used, by resource." }),
    scopes: z
      .array(z.enum(scopes))
      .optional()
      .meta({ proto: 2, ...atomicList, description: "Which pods it counts; all without any." }),
    scopeSelector: z
      .strictObject({
        matchExpressions: z
          .array(scopeRequirement)
          .optional()
          .meta({ proto: 1, ...atomicList }),
      })
      .meta({ title: "core.v1.ScopeSelector", "x-kubernetes-map-type": "atomic" })
      .optional()
      .meta({ proto: 3 }),
  })
  .superRefine(({ hard = {}, scopes: chosen = [] }, context) => {
    for (const [name, amount] of Object.entries(hard)) {
      if (!isQuotaResource(name)) {
        const detail = `${JSON.stringify(name)}: must be a standard resource for quota`;
        context.addIssue(problem("FieldValueInvalid", ["hard", name], detail));
      } else if (counts.has(name) && amount.endsWith("m")) {
        const detail = `${JSON.stringify(amount)}: must be an integer`;
        context.addIssue(problem("FieldValueInvalid", ["hard", name], detail));
      }
    }
    for (const [one, other] of opposites) {
      if (!chosen.includes(one) || !chosen.includes(other)) continue;
      context.addIssue(problem("FieldValueInvalid", ["scopes"], "conflicting scopes"));
    }
  })
  .meta({ title: "core.v1.ResourceQuotaSpec" });

const status = z
  .strictObject({
    hard: resourceList.optional().meta({ proto: 1 }),
    used: resourceList.optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.ResourceQuotaStatus" });

export const resourceQuota = defineKind({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  short: ["quota"],
  namespaced: true,
  description: "Limits what the objects of a namespace use together.",
  spec,
  status,
  validateUpdate: (before, after) =>
    (["scopes", "scopeSelector"] as const)
      .filter((field) => !dequal(before.spec[field], after.spec[field]))
      .map((field) => ({
        reason: "FieldValueInvalid",
        field: `spec.${field}`,
        message: "Invalid value: field is immutable",
      })),
  columns: [
    { name: "Request", type: "string", read: (one) => shown(one, (name) => !isLimit(name)) },
    { name: "Limit", type: "string", read: (one) => shown(one, isLimit) },
  ],
});
export type ResourceQuota = ObjectOf<typeof resourceQuota>;

const isLimit = (resource: string) => resource.startsWith("limits");

/** `pods: 2/4, requests.cpu: 100m/1`, as kubectl shows it. */
function shown(
  {
    status: { hard = {}, used = {} } = {},
  }: { readonly status?: z.output<typeof status> | undefined },
  isMeant: (resource: string) => boolean,
): string {
  return Object.keys(hard)
    .filter(isMeant)
    .toSorted()
    .map((name) => `${name}: ${used[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}
