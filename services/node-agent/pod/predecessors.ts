/** What must be gone before a pod starts (N5). Pure. */
import { hostPortsOf, portsCollide } from "../../../libs/model/pod/host-ports.ts";
import type { Observed } from "../runtime/runtime.ts";
import type { PodWork } from "./spec.ts";

/**
 * The pod that an observed container is of: nobody's (its actor is not there), being ended, or one
 * that is to live, whose ports are its own.
 */
export type Owner = "nobody" | "ending" | "living";

/**
 * Containers of other pods with its name, or that run on a host port of its: that it was assigned
 * here proves that whoever had those was to be gone.
 */
export function predecessorsOf(
  { namespace, name, uid, spec }: PodWork,
  containers: readonly Observed[],
  ownerOf: (uid: string) => Owner,
): readonly Observed[] {
  const ports = hostPortsOf(spec);
  return containers.filter((one) => {
    if (one.uid === uid) return false;
    if (one.namespace === namespace && one.pod === name) return true;
    if (one.state !== "running" || ownerOf(one.uid) === "living") return false;
    return one.hostPorts.some((taken) => ports.some((wanted) => portsCollide(wanted, taken)));
  });
}
