/** Which pods a quota with scopes counts. */
import type { Pod } from "../../model/kinds/pod.ts";
import type {
  QuotaScope,
  ResourceQuota,
  ScopeRequirement,
} from "../../model/kinds/resourcequota.ts";
import type { Counted } from "./usage.ts";

/** Whether the quota counts the object: with scopes pods alone, and those in every scope. */
export function isInScope({ spec }: ResourceQuota, { group, resource, object }: Counted): boolean {
  const requirements = [
    ...(spec.scopes ?? []).map((scopeName): ScopeRequirement => ({
      scopeName,
      operator: "Exists",
    })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (group !== "" || resource !== "pods") return false;
  return requirements.every((one) => meets(object as Pod, one)); // It lies under a pod's key.
}

function meets(pod: Pod, { scopeName, operator, values = [] }: ScopeRequirement): boolean {
  if (scopeName !== "PriorityClass") return scopes[scopeName](pod);
  const name = pod.spec.priorityClassName ?? "";
  switch (operator) {
    case "In":
      return values.includes(name);
    case "NotIn":
      return !values.includes(name);
    case "Exists":
      return name !== "";
    case "DoesNotExist":
      return name === "";
    default:
      return operator satisfies never;
  }
}

const isTerminating = ({ spec }: Pod) => spec.activeDeadlineSeconds !== undefined;
const isBestEffort = ({ spec }: Pod) =>
  [...spec.containers, ...(spec.initContainers ?? [])].every(({ resources }) =>
    [resources?.requests, resources?.limits].every((list) => Object.keys(list ?? {}).length === 0),
  );
const affects = ({ spec }: Pod): boolean =>
  [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].some((affinity) =>
    JSON.stringify(affinity ?? {}).includes('"namespace'),
  );

const scopes: Readonly<Record<Exclude<QuotaScope, "PriorityClass">, (pod: Pod) => boolean>> = {
  Terminating: isTerminating,
  NotTerminating: (pod) => !isTerminating(pod),
  BestEffort: isBestEffort,
  NotBestEffort: (pod) => !isBestEffort(pod),
  CrossNamespacePodAffinity: affects,
  VolumeAttributesClass: () => false, // Of claims alone, and none here has one.
};
