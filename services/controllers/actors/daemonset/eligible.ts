/** On which nodes a DaemonSet's pods belong, and how a pod is tied to one. */
import {
  type DaemonSet,
  templateGenerationAnnotation,
} from "../../../../libs/model/kinds/daemonset.ts";
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { selectsNode, type Toleration, tolerates } from "../../../../libs/model/pod/placement.ts";
import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import { revisionLabel } from "../workload/history.ts";
import { type NewPod, podFrom } from "../workload/new-pods.ts";

type Spec = PodTemplate["spec"];
const generationLabel = "pod-template-generation";
const nameField = "metadata.name";

const bears = (key: string, effect: "NoSchedule" | "NoExecute") =>
  ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect }) as const;

/**
 * What every daemon bears: it runs on nodes that are in trouble, or cordoned.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
 */
function tolerationsOf({ tolerations = [], hostNetwork }: Spec): NonNullable<Spec["tolerations"]> {
  const added = [
    bears("not-ready", "NoExecute"),
    bears("unreachable", "NoExecute"),
    bears("disk-pressure", "NoSchedule"),
    bears("memory-pressure", "NoSchedule"),
    bears("pid-pressure", "NoSchedule"),
    bears("unschedulable", "NoSchedule"),
    ...(hostNetwork === true ? [bears("network-unavailable", "NoSchedule")] : []),
  ];
  const same = (a: Toleration, b: Toleration) =>
    a.key === b.key && a.effect === b.effect && a.operator === b.operator;
  return [...tolerations.filter((one) => !added.some((own) => same(own, one))), ...added];
}

export type Eligibility = {
  /** A pod belongs there. */
  readonly runs: boolean;
  /** A pod that is there may stay. */
  readonly stays: boolean;
};

/** A taint NoSchedule keeps new pods off a node; NoExecute ends those that are there, too. */
export function eligibility({ spec: { template } }: DaemonSet, node: Node): Eligibility {
  const { spec } = template;
  const { name, labels = {} } = node.metadata;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const asked = { nodeSelector: spec.nodeSelector ?? {}, nodeTerms: required?.nodeSelectorTerms };
  const isNamed = (spec.nodeName ?? "") === "" || spec.nodeName === name;
  if (!isNamed || !selectsNode(asked, { name, labels })) return { runs: false, stays: false };
  const tolerations = tolerationsOf(spec);
  const unborne = (node.spec.taints ?? []).filter(
    (taint) => !tolerations.some((one) => tolerates(one, taint)),
  );
  const refused = (effect: string) => unborne.some((taint) => taint.effect === effect);
  const stays = !refused("NoExecute");
  const ending = node.metadata.deletionTimestamp !== undefined;
  return { runs: stays && !ending && !refused("NoSchedule"), stays };
}

/** A pod for one node; the scheduler binds it, when there is room. */
export function daemonPod(
  self: DaemonSet,
  { name, node, hash }: { readonly name: string; readonly node: string; readonly hash: string },
): NewPod {
  const generation = self.metadata.annotations?.[templateGenerationAnnotation];
  const labels = {
    [revisionLabel]: hash,
    ...(generation !== undefined && { [generationLabel]: generation }),
  };
  const made = podFrom(self, self.spec.template, { name, labels });
  const { affinity } = made.spec;
  const onNode = { matchFields: [{ key: nameField, operator: "In" as const, values: [node] }] };
  return {
    ...made,
    spec: {
      ...made.spec,
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode] },
        },
      },
      tolerations: tolerationsOf(made.spec),
    },
  };
}

/** The node that a pod is on, or is made for. */
export function nodeOf({ spec }: Pod): string | undefined {
  if ((spec.nodeName ?? "") !== "") return spec.nodeName;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === nameField && operator === "In");
    if (field?.values?.[0] !== undefined) return field.values[0];
  }
  return undefined;
}
