/**
 * The limits of a namespace: what its LimitRanges fill in and what they do not allow, as of the cut.
 * Each object is judged by itself, so there is nothing that two writers could exceed together: unlike
 * a quota, no key is written (O3).
 */
import type { ClusterView } from "../../cluster/view.ts";
import { parse } from "../../model/errors.ts";
import { limitRange, type LimitRange } from "../../model/kinds/limitrange.ts";
import {
  type PersistentVolumeClaim,
  persistentVolumeClaim,
} from "../../model/kinds/persistentvolumeclaim.ts";
import { pod as podKind, type Pod } from "../../model/kinds/pod.ts";
import type { Kind } from "../../model/kind.ts";
import { forbidden } from "../forbidden.ts";
import { claimFaults, podFaults } from "./check.ts";
import { limitRangerAnnotation, withLimitDefaults } from "./defaults.ts";

/**
 * A new pod with what it does not say.
 *
 * @throws {ApiError} Forbidden, in the words of the first LimitRange that does not allow it; Invalid,
 *   when a limit that was filled in is less than what it requests
 */
export function limitPod(pod: Pod, view: ClusterView): Pod {
  const ranges = rangesOf(view, pod.metadata.namespace);
  if (ranges.length === 0) return pod; // Most namespaces: nothing more is paid for them.
  const given = ranges.reduce(filled, pod);
  const limited = given === pod ? pod : parse(podKind, given);
  refuse(podKind, limited.metadata.name, ranges, (range) => podFaults(range, limited));
  return limited;
}

/** @throws {ApiError} Forbidden, as above */
export function checkLimits(pod: Pod, view: ClusterView): void {
  const { name, namespace } = pod.metadata;
  refuse(podKind, name, rangesOf(view, namespace), (range) => podFaults(range, pod));
}

/** @throws {ApiError} Forbidden, as above */
export function limitClaim(claim: PersistentVolumeClaim, view: ClusterView): void {
  const { name, namespace } = claim.metadata;
  const ranges = rangesOf(view, namespace);
  refuse(persistentVolumeClaim, name, ranges, (range) => claimFaults(range, claim));
}

function rangesOf(view: ClusterView, namespace: string): readonly LimitRange[] {
  const ranges = view.list(limitRange, { namespace });
  return ranges.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function filled(pod: Pod, range: LimitRange): Pod {
  const { metadata, spec } = pod;
  const given = withLimitDefaults(range, spec.containers, spec.initContainers ?? []);
  const { containers, initContainers, note } = given;
  if (note === undefined) return pod;
  const annotations = { ...metadata.annotations, [limitRangerAnnotation]: note };
  return {
    ...pod,
    metadata: { ...metadata, annotations },
    spec: {
      ...spec,
      containers: [...containers],
      ...(initContainers.length > 0 && { initContainers: [...initContainers] }),
    },
  };
}

function refuse(
  { group, plural }: Kind,
  name: string,
  ranges: readonly LimitRange[],
  faultsOf: (range: LimitRange) => readonly string[],
): void {
  for (const range of ranges) {
    const faults = faultsOf(range);
    const why = faults.length === 1 ? faults.join("") : `[${faults.join(", ")}]`;
    if (faults.length > 0) throw forbidden({ group, resource: plural }, name, why);
  }
}
