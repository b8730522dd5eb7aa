/** What a pod of a StatefulSet is called, and what it keeps whenever it is made again. */
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import type { StatefulSet } from "../../../../libs/model/kinds/statefulset.ts";
import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import { revisionLabel } from "../workload/history.ts";
import { type NewPod, podFrom } from "../workload/new-pods.ts";

const nameLabel = "statefulset.kubernetes.io/pod-name";
const indexLabel = "apps.kubernetes.io/pod-index";

export const podName = (set: string, ordinal: number): string => `${set}-${ordinal}`;

/** The number of the first pod. */
export const startOf = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;

/** `web-3` is number 3 of `web`; undefined for a name that no StatefulSet gives. */
export function parsePodName(
  name: string,
): { readonly set: string; readonly ordinal: number } | undefined {
  const match = /^(.+)-(0|[1-9]\d{0,8})$/.exec(name);
  const [, set, ordinal] = match ?? [];
  return set === undefined || ordinal === undefined ? undefined : { set, ordinal: Number(ordinal) };
}

/** The pod's number; undefined when it has no name of this set. */
export function ordinalOf({ metadata }: StatefulSet, pod: Pod): number | undefined {
  const parsed = parsePodName(pod.metadata.name);
  return parsed?.set === metadata.name ? parsed.ordinal : undefined;
}

type Labels = Readonly<Record<string, string>>;

const identityLabels = (name: string, ordinal: number): Labels => ({
  [nameLabel]: name,
  [indexLabel]: String(ordinal),
});

/** The pod with its own labels; the same one when it has them. */
export function identified(pod: Pod, ordinal: number): Pod {
  const wanted = identityLabels(pod.metadata.name, ordinal);
  const { labels = {} } = pod.metadata;
  if (Object.entries(wanted).every(([key, value]) => labels[key] === value)) return pod;
  return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...wanted } } };
}

/** The name of its revision, which its label holds. */
export const revisionNameOf = ({ metadata }: Pod): string | undefined =>
  metadata.labels?.[revisionLabel];

export const claimName = (template: string, pod: string): string => `${template}-${pod}`;

/** A pod at a revision: its name is its host name, and its claims' volumes have their templates' names. */
export function memberPod(
  self: StatefulSet,
  ordinal: number,
  { name: revision, template }: { readonly name: string; readonly template: PodTemplate },
): NewPod {
  const name = podName(self.metadata.name, ordinal);
  const labels = { ...identityLabels(name, ordinal), [revisionLabel]: revision };
  const made = podFrom(self, template, { name, labels });
  const { serviceName = "", volumeClaimTemplates = [] } = self.spec;
  const claimed = volumeClaimTemplates.map(({ metadata: { name: volume = "" } }) => ({
    name: volume,
    persistentVolumeClaim: { claimName: claimName(volume, name) },
  }));
  const names = new Set(claimed.map((one) => one.name));
  const others = (made.spec.volumes ?? []).filter((one) => !names.has(one.name));
  return {
    ...made,
    spec: {
      ...made.spec,
      hostname: name,
      ...(serviceName !== "" && { subdomain: serviceName }),
      ...(claimed.length + others.length > 0 && { volumes: [...others, ...claimed] }),
    },
  };
}
