import * as z from "zod";
import { atomicList } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { labelKey } from "../names.ts";
import { isContainerResource } from "../pod/container.ts";
import { problem, refuseDuplicates } from "../problem.ts";
import {
  compareQuantities,
  quantityMilli,
  quantityNumber,
  resourceList,
  type ResourceList,
} from "../quantity.ts";
import { isQuotaResource } from "./resourcequota.ts";

/** Types without a domain are Kubernetes' own. */
const types = ["Pod", "Container", "PersistentVolumeClaim"];

const item = z
  .strictObject({
    type: labelKey.meta({
      proto: 1,
      description: "What it limits: Container, Pod or PersistentVolumeClaim.",
    }),
    max: resourceList.optional().meta({ proto: 2, description: "Most of each resource." }),
    min: resourceList.optional().meta({ proto: 3, description: "Least of each resource." }),
    default: resourceList.optional().meta({
      proto: 4,
      description: "What a container is limited to that does not say.",
    }),
    defaultRequest: resourceList.optional().meta({
      proto: 5,
      description: "What a container requests that does not say.",
    }),
    maxLimitRequestRatio: resourceList.optional().meta({
      proto: 6,
      description: "How many times what it requests it may be limited to.",
    }),
  })
  .overwrite(withDefaults)
  .superRefine(check)
  .meta({ title: "core.v1.LimitRangeItem" });

type Item = {
  readonly type: string;
  readonly max?: ResourceList | undefined;
  readonly min?: ResourceList | undefined;
  readonly default?: ResourceList | undefined;
  readonly defaultRequest?: ResourceList | undefined;
  readonly maxLimitRequestRatio?: ResourceList | undefined;
};

const spec = z
  .strictObject({
    limits: z
      .array(item)
      .default([])
      .meta({ proto: 1, ...atomicList, description: "One of each type." }),
  })
  .superRefine(({ limits }, context) =>
    refuseDuplicates(
      context,
      limits.map(({ type }, nth) => ({ at: ["limits", nth, "type"], value: type })),
    ),
  )
  .meta({ title: "core.v1.LimitRangeSpec" });

export const limitRange = defineKind({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  short: ["limits"],
  namespaced: true,
  description:
    "Limits what each container, pod or claim of a namespace uses, and says what of that is usual.",
  spec: spec.prefault({}),
  columnsAreAll: true,
  columns: [
    { name: "Name", type: "string", format: "name", read: ({ metadata }) => metadata.name },
    {
      name: "Created At",
      type: "string",
      format: "date-time",
      read: ({ metadata }) => metadata.creationTimestamp ?? "<unknown>",
    },
  ],
});
export type LimitRange = ObjectOf<typeof limitRange>;
export type LimitRangeItem = LimitRange["spec"]["limits"][number];

/**
 * A container's default limit is the most, its default request that, or else the least.
 *
 * @see https://kubernetes.io/docs/concepts/policy/limit-range/
 */
function withDefaults<I extends Item>(one: I): I {
  if (one.type !== "Container") return one;
  const limits = { ...one.max, ...one.default };
  const requests = { ...one.min, ...limits, ...one.defaultRequest };
  return {
    ...one,
    ...(Object.keys(limits).length > 0 && { default: limits }),
    ...(Object.keys(requests).length > 0 && { defaultRequest: requests }),
  };
}

const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function check(one: Item, context: z.core.$RefinementCtx): void {
  const { type } = one;
  if (!type.includes("/") && !types.includes(type)) {
    const detail = `${JSON.stringify(type)}: must be a standard limit type or fully qualified`;
    context.addIssue(problem("FieldValueInvalid", ["type"], detail));
  }
  const isPod = type === "Pod";
  for (const list of ["default", "defaultRequest"] as const) {
    if (!isPod || Object.keys(one[list] ?? {}).length === 0) continue;
    const detail = "may not be specified when `type` is 'Pod'";
    context.addIssue(problem("FieldValueForbidden", [list], detail));
  }
  if (
    type === "PersistentVolumeClaim" &&
    (one.min?.["storage"] ?? one.max?.["storage"]) === undefined
  ) {
    const detail = "either minimum or maximum storage value is required, but neither was provided";
    context.addIssue(problem("FieldValueRequired", ["limits"], detail));
  }
  for (const list of lists) {
    for (const name of Object.keys(one[list] ?? {})) {
      const fault = resourceFault(type, name);
      if (fault === undefined) continue;
      const detail = `${JSON.stringify(name)}: ${fault}`;
      context.addIssue(problem("FieldValueInvalid", [list, name], detail));
    }
  }
  const named = new Set(lists.flatMap((list) => Object.keys(one[list] ?? {})));
  const judged = isPod ? { ...one, default: undefined, defaultRequest: undefined } : one;
  for (const name of [...named].toSorted()) checkAmounts(judged, name, context);
}

function resourceFault(type: string, name: string): string | undefined {
  if (type === "Pod" || type === "Container") {
    return isContainerResource(name) ? undefined : "must be a standard resource for containers";
  }
  const isStandard = name === "storage" || isQuotaResource(name);
  return isStandard ? undefined : "must be a standard resource type or fully qualified";
}

type List = (typeof lists)[number];
/** Of each pair the first must not be more than the second: where it is told, and whose value. */
const orders: readonly {
  readonly less: readonly [List, string];
  readonly more: readonly [List, string];
  readonly at: List;
  readonly shows: List;
}[] = [
  { less: ["min", "min"], more: ["max", "max"], at: "min", shows: "min" },
  {
    less: ["min", "min"],
    more: ["defaultRequest", "default request"],
    at: "defaultRequest",
    shows: "defaultRequest",
  },
  {
    less: ["defaultRequest", "default request"],
    more: ["max", "max"],
    at: "defaultRequest",
    shows: "defaultRequest",
  },
  {
    less: ["defaultRequest", "default request"],
    more: ["default", "default limit"],
    at: "defaultRequest",
    shows: "defaultRequest",
  },
  { less: ["min", "min"], more: ["default", "default"], at: "default", shows: "min" },
  { less: ["default", "default"], more: ["max", "max"], at: "default", shows: "max" },
];

/** What one resource's amounts must be to each other. */
function checkAmounts(one: Item, name: string, context: z.core.$RefinementCtx): void {
  const of = (list: List) => one[list]?.[name];
  const refuse = (at: List, shown: string, why: string) =>
    context.addIssue(problem("FieldValueInvalid", [at, name], `${JSON.stringify(shown)}: ${why}`));
  for (const { less, more, at, shows } of orders) {
    const [small, large] = [of(less[0]), of(more[0])];
    if (small === undefined || large === undefined || compareQuantities(small, large) <= 0)
      continue;
    const why = `${less[1]} value ${small} is greater than ${more[1]} value ${large}`;
    refuse(at, of(shows) ?? small, why);
  }
  const [ratio, min, max] = [of("maxLimitRequestRatio"), of("min"), of("max")];
  if (ratio !== undefined && compareQuantities(ratio, "1") < 0) {
    refuse("maxLimitRequestRatio", ratio, `ratio ${ratio} is less than 1`);
  }
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const most = quantityMilli(max) / quantityMilli(min);
    if (quantityNumber(ratio) > most) {
      const why = `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`;
      refuse("maxLimitRequestRatio", ratio, why);
    }
  }
  const [limit, request] = [of("default"), of("defaultRequest")];
  if (mayOvercommit(name) || limit === undefined || request === undefined) return;
  if (compareQuantities(limit, request) === 0) return;
  const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  refuse("defaultRequest", request, why);
}

/** Others than Kubernetes' own, and huge pages, are had or not. */
const mayOvercommit = (name: string): boolean =>
  (!name.includes("/") || name.includes("kubernetes.io/")) && !name.startsWith("hugepages-");
