import type { Pod } from "../model/kinds/pod.ts";
import type { ObservedPod, ObservedUsage } from "./observed-usage.ts";

/**
 * What a pod uses; undefined while anything of it that runs is unknown: half a pod would be taken for
 * all of it (N1).
 */
export function usageOfPod(
  { metadata, spec, status }: Pod,
  usage: ObservedUsage,
): ObservedPod | undefined {
  const told = usage.pod(spec.nodeName ?? "", metadata.uid ?? "");
  if (told === undefined || told.containers.length === 0) return undefined;
  const names = new Set(told.containers.map(({ name }) => name));
  const running = (status?.containerStatuses ?? []).filter((one) => one.state?.running);
  return running.every(({ name }) => names.has(name)) ? told : undefined;
}
