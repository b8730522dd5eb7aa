/** Which nodes a pod may run on, by what the pod itself says: shared by whoever places pods. */
import { matchesLabels, matchesRequirement } from "../label-selector.ts";

type Requirement = Parameters<typeof matchesRequirement>[0];
/** A v1 NodeSelectorTerm; one without requirements matches nothing. */
export type NodeTerm = {
  readonly matchExpressions?: readonly Requirement[] | undefined;
  readonly matchFields?: readonly Requirement[] | undefined;
};
export type Toleration = {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
};
export type Taint = {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
};
type Labels = Readonly<Record<string, string>>;
/** What of a node is matched. */
export type Place = { readonly name: string; readonly labels: Labels };

/**
 * Whether a node is one that the pod asks for: it has every label of the selector, and meets any of
 * the required terms. Undefined terms require nothing.
 */
export function selectsNode(
  {
    nodeSelector,
    nodeTerms,
  }: { readonly nodeSelector: Labels; readonly nodeTerms: readonly NodeTerm[] | undefined },
  node: Place,
): boolean {
  return (
    matchesLabels(nodeSelector, node.labels) &&
    (nodeTerms === undefined || nodeTerms.some((term) => matchesNodeTerm(term, node)))
  );
}

/** Every requirement of a term holds; a term without any holds nowhere. */
export function matchesNodeTerm(
  { matchExpressions = [], matchFields = [] }: NodeTerm,
  { name, labels }: Place,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels)) &&
    matchFields.every((requirement) => matchesRequirement(requirement, { "metadata.name": name }))
  );
}

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#concepts */
export function tolerates(
  { key = "", operator = "Equal", value = "", effect = "" }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (key === "") return operator === "Exists";
  if (key !== taint.key) return false;
  return operator === "Exists" || value === (taint.value ?? "");
}
