/** Whether a webhook or a policy concerns a request: its rules, its selectors, its conditions. Pure. */
import type { ClusterView } from "../cluster/view.ts";
import { ApiError } from "../model/errors.ts";
import type { Kind } from "../model/kind.ts";
import { namespace as namespaceKind } from "../model/kinds/namespace.ts";
import { isEmptySelector, type LabelSelector, matchesSelector } from "../model/label-selector.ts";
import type { MatchResources } from "../model/webhooks/match.ts";
import { type AdmissionRequest, isNamespace, namespaceOf, type Objects } from "./request.ts";
import { matchedForm } from "./rules.ts";

type Selectors = {
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
};

/** What is matched against: `objects` in any form, for their labels. */
export type Matched = {
  readonly request: AdmissionRequest;
  readonly objects: Objects;
  readonly view: ClusterView;
};

/**
 * Whether both selectors select the request. What is in no namespace is in all of them.
 *
 * @throws {ApiError} NotFound: the namespace
 */
export function isSelected(
  { namespaceSelector, objectSelector }: Selectors,
  { request, objects, view }: Matched,
): boolean {
  const { object, oldObject } = objects;
  const ofObject =
    isEmptySelector(objectSelector) ||
    hasLabels(object, objectSelector) ||
    hasLabels(oldObject, objectSelector);
  if (!ofObject || isEmptySelector(namespaceSelector)) return ofObject;
  const namespace = namespaceOf(request);
  if (namespace === undefined) return true;
  return matchesSelector(namespaceSelector, namespaceLabels(namespace, { request, objects, view }));
}

const hasLabels = (object: unknown, selector: LabelSelector): boolean =>
  object !== undefined && matchesSelector(selector, labelsOf(object));

type Labelled = { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
const labelsOf = (object: unknown) => (object as Labelled | undefined)?.metadata?.labels; // As every object has them.

/** A Namespace that is written has the labels that it is written with. */
function namespaceLabels(
  name: string,
  { request, objects, view }: Matched,
): Readonly<Record<string, string>> | undefined {
  const { kind, subresource, operation } = request;
  const written = operation === "CREATE" || operation === "UPDATE";
  if (isNamespace(kind) && subresource === "" && written) return labelsOf(objects.object);
  const found = view.get(namespaceKind, undefined, name);
  if (found !== undefined) return found.metadata.labels;
  throw new ApiError("NotFound", `namespaces ${JSON.stringify(name)} not found`, {
    name,
    kind: namespaceKind.plural,
  });
}

/** The version that a policy's or a binding's constraints match; undefined: they do not. */
export function matchedByResources(
  { resourceRules = [], excludeResourceRules = [], matchPolicy, ...selectors }: MatchResources,
  matched: Matched,
): Kind | undefined {
  const { request } = matched;
  const form =
    resourceRules.length === 0 ? request.kind : matchedForm(resourceRules, matchPolicy, request);
  if (form === undefined) return undefined;
  if (matchedForm(excludeResourceRules, matchPolicy, request) !== undefined) return undefined;
  return isSelected(selectors, matched) ? form : undefined;
}
