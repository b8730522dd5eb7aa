/** Which requests a rule names. Pure. */
import type { Kind } from "../model/kind.ts";
import type { NamedRuleWithOperations, RuleWithOperations } from "../model/webhooks/match.ts";
import { type AdmissionRequest, formsOf, isNamespace } from "./request.ts";

type Rule = RuleWithOperations & Pick<NamedRuleWithOperations, "resourceNames">;

/**
 * The version of the request's resource that the first rule to match names; the client's own where a
 * rule names that. undefined: no rule matches.
 */
export function matchedForm(
  rules: readonly Rule[],
  matchPolicy: "Exact" | "Equivalent",
  request: AdmissionRequest,
): Kind | undefined {
  const [own, ...others] = formsOf(request);
  if (own === undefined || rules.some((rule) => matchesRule(rule, own, request))) return own;
  if (matchPolicy === "Exact") return undefined;
  for (const rule of rules) {
    const form = others.find((other) => matchesRule(rule, other, request));
    if (form !== undefined) return form;
  }
  return undefined;
}

/** @param form the version that the request is looked at in */
export function matchesRule(
  {
    operations = [],
    apiGroups = [],
    apiVersions = [],
    resources = [],
    scope,
    resourceNames = [],
  }: Rule,
  form: Kind,
  { operation, subresource, namespace, name }: AdmissionRequest,
): boolean {
  return (
    names(operations, operation) &&
    names(apiGroups, form.group) &&
    names(apiVersions, form.version) &&
    resources.some((resource) => namesResource(resource, form.plural, subresource)) &&
    (scope === "*" || (scope === "Cluster") === (isNamespace(form) || namespace === undefined)) &&
    (resourceNames.length === 0 || resourceNames.includes(name))
  );
}

const names = (list: readonly string[], one: string): boolean =>
  list.includes("*") || list.includes(one);

/** `pods`, `pods/exec`, `pods/*`, `*`, and any of a subresource; without a slash no subresource is meant. */
function namesResource(rule: string, resource: string, subresource: string): boolean {
  const slash = rule.indexOf("/");
  const [named, sub] = slash < 0 ? [rule, ""] : [rule.slice(0, slash), rule.slice(slash + 1)];
  return (named === "*" || named === resource) && (sub === "*" || sub === subresource);
}
