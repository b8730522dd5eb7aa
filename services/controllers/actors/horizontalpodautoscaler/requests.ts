import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import { quantityMilli } from "../../../../libs/model/quantity.ts";

/**
 * What each pod requests of a resource, in thousandths: all its containers and sidecars, or the one of
 * that name.
 *
 * @returns what is wrong, when one that counts requests nothing: then there is nothing to compare with
 */
export function requestsOf(
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, number> | string {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
    let sum = 0;
    for (const { name, resources } of [...spec.containers, ...sidecars]) {
      if (container !== undefined && name !== container) continue;
      const request = resources.requests?.[resource];
      if (request === undefined) {
        return `missing request for ${resource} in container ${name} of Pod ${metadata.name}`;
      }
      sum += quantityMilli(request);
    }
    requests.set(metadata.name, sum);
  }
  return requests;
}
