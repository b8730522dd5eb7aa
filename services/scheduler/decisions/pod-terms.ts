/** What a pod says of other pods: which it must, must not, or would rather have near. */
import { type LabelSelector, matchesSelector } from "../../../libs/model/label-selector.ts";

type Labels = Readonly<Record<string, string>>;

/** Which pods are meant: those with such labels, in these namespaces or in those that are selected. */
export type PodMatcher = {
  readonly namespaces: readonly string[];
  /** Absent selects no further namespace, an empty one all of them. */
  readonly namespaceSelector: LabelSelector | undefined;
  /** Absent selects no pod, an empty one all of them. */
  readonly selector: LabelSelector | undefined;
};

/** Near is what shares the value of the node label `topologyKey`: a domain. */
export type PodTerm = { readonly topologyKey: string; readonly pods: PodMatcher };
export type WeightedTerm = { readonly weight: number; readonly term: PodTerm };
export type PodTerms = {
  readonly required: readonly PodTerm[];
  readonly preferred: readonly WeightedTerm[];
};

/** The labels of namespaces, as they are at the cut. */
export type NamespaceLabels = (namespace: string) => Labels;

export function matchesPod(
  { namespaces, namespaceSelector, selector }: PodMatcher,
  pod: { readonly namespace: string; readonly labels: Labels },
  labelsOf: NamespaceLabels,
): boolean {
  if (selector === undefined || !matchesSelector(selector, pod.labels)) return false;
  if (namespaces.includes(pod.namespace)) return true;
  return (
    namespaceSelector !== undefined && matchesSelector(namespaceSelector, labelsOf(pod.namespace))
  );
}

/** A v1 PodAffinityTerm. */
export type TermFacts = {
  readonly topologyKey: string;
  readonly labelSelector?: LabelSelector | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
};
/** A v1 PodAffinity or PodAntiAffinity. */
export type TermsFacts = {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly TermFacts[] | undefined;
  readonly preferredDuringSchedulingIgnoredDuringExecution?:
    | readonly { readonly weight: number; readonly podAffinityTerm: TermFacts }[]
    | undefined;
};

/** @param namespace the pod's own, which is meant where none is named and none selected */
export function podTerms(facts: TermsFacts | undefined, namespace: string): PodTerms {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: required = [],
    preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
  } = facts ?? {};
  return {
    required: required.map((term) => podTerm(term, namespace)),
    preferred: preferred.map(({ weight, podAffinityTerm }) => ({
      weight,
      term: podTerm(podAffinityTerm, namespace),
    })),
  };
}

function podTerm(
  { topologyKey, labelSelector, namespaces = [], namespaceSelector }: TermFacts,
  own: string,
): PodTerm {
  const named = namespaces.length === 0 && namespaceSelector === undefined ? [own] : namespaces;
  return { topologyKey, pods: { namespaces: named, namespaceSelector, selector: labelSelector } };
}
