/** How a pod's size counts while it waits for room to grow. */
import type { Pod } from "../model/kinds/pod.ts";
import { allocatedAnnotation, allocatedSpec, allocationOf } from "../model/pod/allocated.ts";
import { effective } from "../model/pod/effective.ts";
import { isTerminal } from "../model/pod/state.ts";
import { compareQuantities } from "../model/quantity.ts";
import type { AdmissionContext, AnyObject } from "./context.ts";
import { checkLimits } from "./limits/limit.ts";
import { plusUsage, resourceSums, type Usage } from "./quota/usage.ts";

/**
 * A pod on a node that is to grow keeps what it has until the scheduler finds room for it, in a
 * transaction that writes the node's load (B1); one that waits already waits on. What becomes smaller
 * is so at once.
 *
 * @throws {ApiError} Forbidden, when a LimitRange does not allow its new size
 */
export function withSize(object: AnyObject, was: AnyObject, { view }: AdmissionContext): AnyObject {
  const [pod, before] = [asPod(object), asPod(was)];
  const waiting = before.metadata.annotations?.[allocatedAnnotation];
  if (allocationOf(before.spec) === allocationOf(pod.spec)) return marked(object, waiting);
  checkLimits(pod, view);
  const isOnNode = (before.spec.nodeName ?? "") !== "" && !isTerminal(before);
  if (waiting !== undefined || !isOnNode || !isLarger(pod, before)) return marked(object, waiting);
  return marked(object, allocationOf(before.spec));
}

const asPod = (object: object) => object as Pod; // Parsed as one.

/** Whether more of any resource counts of `pod` than of `before`. */
export function isLarger(pod: Pod, before: Pod): boolean {
  const [is, was] = [requestsOf(pod), requestsOf(before)];
  return Object.entries(is).some(
    ([name, amount]) => compareQuantities(amount, was[name] ?? "0") > 0,
  );
}

function requestsOf(pod: Pod): Usage {
  const spec = allocatedSpec(pod);
  const asked = effective(spec, ({ resources }) => resources.requests ?? {}, resourceSums);
  return plusUsage(asked, spec.overhead ?? {});
}

/** Nobody else says what a pod has. */
export function marked(object: AnyObject, allocation: string | undefined): AnyObject {
  const { annotations: given } = object.metadata;
  if (given?.[allocatedAnnotation] === allocation) return object;
  const { [allocatedAnnotation]: _given, ...others } = given ?? {};
  const annotations = {
    ...others,
    ...(allocation !== undefined && { [allocatedAnnotation]: allocation }),
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
