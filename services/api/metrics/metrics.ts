/** NodeMetrics and PodMetrics of what was heard, beside the objects that they are about. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import type { ObservedUsage } from "../../../libs/cluster/observed-usage.ts";
import { usageOfPod } from "../../../libs/cluster/pod-usage.ts";
import type { Node } from "../../../libs/model/kinds/node.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import type { ContainerUsage } from "../../../libs/protocol/usage.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";

type Usage = Omit<ContainerUsage, "name">;

/** As the metrics server writes them: billionths of a CPU, 1024s of bytes. */
const quantities = ({ cpuNanoCores, memoryBytes }: Usage) => ({
  cpu: cpuNanoCores === 0 ? "0" : `${Math.ceil(cpuNanoCores)}n`,
  memory: memoryBytes === 0 ? "0" : `${Math.ceil(memoryBytes / 1_024)}Ki`,
});

type Measured = { readonly ageMs: number; readonly windowMs: number };

const head = (
  kind: string,
  { name, namespace, labels }: AnyObject["metadata"],
  now: EpochMs,
  { ageMs, windowMs }: Measured,
) => {
  return {
    kind,
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      creationTimestamp: timeOf(now),
    },
    timestamp: timeOf(now - ageMs),
    window: `${(windowMs / 1_000).toFixed(3)}s`,
  };
};

/** A thing as JSON, of a kind that has neither spec nor status. */
type Metrics = AnyObject & { readonly [field: string]: unknown };

/** @returns undefined while nothing is known of the node (N1) */
export function metricsOfNode(
  { metadata }: Node,
  usage: ObservedUsage,
  now: EpochMs,
): Metrics | undefined {
  const used = usage.node(metadata.name);
  if (used === undefined) return undefined;
  return { ...head("NodeMetrics", metadata, now, used), usage: quantities(used) };
}

/** @returns undefined while not all of the pod is known (N1) */
export function metricsOfPod(pod: Pod, usage: ObservedUsage, now: EpochMs): Metrics | undefined {
  const used = usageOfPod(pod, usage);
  if (used === undefined) return undefined;
  const windowMs = Math.max(...used.containers.map((one) => one.windowMs));
  const containers = used.containers.map((one) => ({ name: one.name, usage: quantities(one) }));
  return {
    ...head("PodMetrics", pod.metadata, now, { ageMs: used.ageMs, windowMs }),
    containers,
  };
}
