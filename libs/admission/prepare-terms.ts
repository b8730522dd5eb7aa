/**
 * `matchLabelKeys` and `mismatchLabelKeys`: a pod's terms mean pods that have, or have not, the values that
 * it has itself for some labels. The values are written into its selectors when it is made, as
 * kube-apiserver does, so that nobody else needs to know of it.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#matchlabelkeys
 */
import type { LabelSelector } from "../model/label-selector.ts";
import type { Pod } from "../model/kinds/pod.ts";

type Keyed = {
  readonly labelSelector?: LabelSelector | undefined;
  readonly matchLabelKeys?: readonly string[] | undefined;
  readonly mismatchLabelKeys?: readonly string[] | undefined;
};
type Labels = Readonly<Record<string, string>>;
type Affinity = NonNullable<Pod["spec"]["affinity"]>;
type PodAffinity = NonNullable<Affinity["podAffinity"]>;

export function withOwnLabels(pod: Pod): Pod {
  const { affinity, topologySpreadConstraints: spread } = pod.spec;
  const labels = pod.metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined && spread === undefined)
    return pod;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(affinity !== undefined && {
        affinity: {
          ...affinity,
          ...(podAffinity !== undefined && { podAffinity: inTerms(podAffinity, labels) }),
          ...(podAntiAffinity !== undefined && {
            podAntiAffinity: inTerms(podAntiAffinity, labels),
          }),
        },
      }),
      ...(spread !== undefined && {
        topologySpreadConstraints: spread.map((one) => selecting(one, labels)),
      }),
    },
  };
}

function inTerms(affinity: PodAffinity, labels: Labels): PodAffinity {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: required,
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
  } = affinity;
  return {
    ...(required !== undefined && {
      requiredDuringSchedulingIgnoredDuringExecution: required.map((one) => selecting(one, labels)),
    }),
    ...(preferred !== undefined && {
      preferredDuringSchedulingIgnoredDuringExecution: preferred.map((one) => ({
        ...one,
        podAffinityTerm: selecting(one.podAffinityTerm, labels),
      })),
    }),
  };
}

/** Keys that the pod does not have say nothing; without a selector there is nothing to add to. */
function selecting<T extends Keyed>(term: T, labels: Labels): T {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const requirement = (key: string, operator: "In" | "NotIn") => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  };
  const added = [
    ...matchLabelKeys.flatMap((key) => requirement(key, "In")),
    ...mismatchLabelKeys.flatMap((key) => requirement(key, "NotIn")),
  ];
  if (labelSelector === undefined || added.length === 0) return term;
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
  return { ...term, labelSelector: { ...labelSelector, matchExpressions } };
}
