import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import type { Job } from "../../../../libs/model/kinds/job.ts";
import { type NewPod, podFrom, podNames, stemMax } from "../workload/new-pods.ts";
import { failuresKey, ignoredKey, indexKey, priorFailures } from "./completion-index.ts";
import type { Birth } from "./plan.ts";
import { trackingFinalizer } from "./tracking.ts";

/** The pods that a Job makes; one of an index knows it by annotation, label, hostname and environment. */
export function newPods(
  self: Job,
  births: readonly Birth[],
  taken: ReadonlySet<string>,
): readonly NewPod[] {
  const stems = births.map(({ index }) => stemOf(self, index));
  const names = podNames(self, stems, taken);
  return births.map((birth, nth) => {
    const stem = stems[nth] ?? "";
    const pod = podFrom(self, self.spec.template, { name: names[nth] ?? "", stem });
    const { labels, annotations, finalizers = [] } = pod.metadata;
    const { index } = birth;
    const number = index === undefined ? {} : { [indexKey]: String(index) };
    return {
      ...pod,
      metadata: {
        ...pod.metadata,
        labels: { ...labels, ...number },
        annotations: { ...annotations, ...number, ...failuresBefore(self, birth) },
        finalizers: [...new Set([...finalizers, trackingFinalizer])],
      },
      spec: index === undefined ? pod.spec : indexedSpec(self, pod.spec, index),
    };
  });
}

function stemOf({ metadata: { name } }: Job, index: number | undefined): string {
  if (index === undefined) return name.slice(0, stemMax);
  return `${name.slice(0, stemMax - 1 - String(index).length)}-${index}`;
}

/** What the pod that it follows knew of its index's failures, and that one's own. */
function failuresBefore({ spec }: Job, { after }: Birth): Record<string, string> {
  if (spec.backoffLimitPerIndex === undefined) return {};
  if (after === undefined) return { [failuresKey]: "0" };
  const { counted, ignored } = priorFailures(after.pod);
  const isIgnored = after.action.action === "Ignore";
  const ignoredNow = ignored + (isIgnored ? 1 : 0);
  return {
    [failuresKey]: String(counted + (isIgnored ? 0 : 1)),
    ...(ignoredNow > 0 && { [ignoredKey]: String(ignoredNow) }),
  };
}

type Container = PodTemplate["spec"]["containers"][number];

function indexedSpec({ metadata }: Job, spec: PodTemplate["spec"], index: number) {
  const { initContainers } = spec;
  return {
    ...spec,
    hostname: `${metadata.name}-${index}`,
    containers: spec.containers.map(withIndex),
    ...(initContainers !== undefined && { initContainers: initContainers.map(withIndex) }),
  };
}

const indexVariable = "JOB_COMPLETION_INDEX";

function withIndex(container: Container): Container {
  const { env = [] } = container;
  if (env.some(({ name }) => name === indexVariable)) return container;
  const fieldRef = { apiVersion: "v1", fieldPath: `metadata.annotations['${indexKey}']` };
  return { ...container, env: [...env, { name: indexVariable, valueFrom: { fieldRef } }] };
}
