/** What a StatefulSet's decision is made from, and which changes make it due. */
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import type { ControllerRevision } from "../../../../libs/model/kinds/controllerrevision.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../../../libs/model/kinds/pod.ts";
import { statefulSet, type StatefulSet } from "../../../../libs/model/kinds/statefulset.ts";
import { actorName, type ObjectChange } from "../../controller.ts";
import { controllerOf } from "../workload/claims.ts";
import { revisionConcerns, revisionsFor } from "../workload/history.ts";
import { placed, type PlacedPod } from "../workload/pod-state.ts";
import { podConcerns, podsFor } from "../workload/replicas.ts";
import { ordinalOf, parsePodName, podName, startOf } from "./identity.ts";
import { reachOf } from "./step.ts";
import { claimsOf } from "./storage.ts";

export type World = {
  /** Its pods, those that it may adopt, and those that hold a name it wants. */
  readonly pods: readonly PlacedPod[];
  readonly revisions: readonly ControllerRevision[];
  /** Those of its pods' claims that there are, by name. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
};
export function readWorld(view: ClusterView, self: StatefulSet): World {
  const own = podsFor(view, self, self.spec.selector);
  const found = [...own, ...inTheWay(view, self, own.length)];
  const pods = new Map(found.map((one) => [one.pod.metadata.name, one]));
  const claims = claimsFor(view, self, own);
  return { pods: [...pods.values()], revisions: revisionsFor(view, self), claims };
}

const setsIn = (view: ClusterView) => (namespace: string) => view.list(statefulSet, { namespace });

export function* concerns(change: ObjectChange, view: ClusterView): Iterable<string> {
  const all = setsIn(view);
  yield* revisionConcerns(change, all);
  yield* podConcerns(change, view, {
    kind: "StatefulSet",
    all: (namespace) =>
      all(namespace).map(({ metadata, spec }) => ({ metadata, selector: spec.selector })),
  });
  const { kind, metadata } = change.after ?? change.before ?? {};
  if (metadata === undefined) return;
  if (kind === "PersistentVolumeClaim") {
    for (const one of all(metadata.namespace ?? "")) {
      if (mayClaim(one, metadata.name ?? "")) yield actorName(one.metadata);
    }
  }
  // A stranger's pod may hold a name that is wanted, or free it.
  if (kind !== "Pod") return;
  const parsed = parsePodName(metadata.name ?? "");
  if (parsed === undefined) return;
  const { namespace } = metadata;
  if (view.get(statefulSet, namespace, parsed.set) !== undefined) {
    yield actorName({ namespace, name: parsed.set });
  }
}

const mayClaim = ({ metadata, spec }: StatefulSet, name: string): boolean =>
  (spec.volumeClaimTemplates ?? []).some((template) =>
    name.startsWith(`${template.metadata.name ?? ""}-${metadata.name}-`),
  );

/** The claims of the pods that there are, and of those that a turn may make. */
function claimsFor(
  view: ClusterView,
  self: StatefulSet,
  pods: readonly PlacedPod[],
): ReadonlyMap<string, PersistentVolumeClaim> {
  if ((self.spec.volumeClaimTemplates ?? []).length === 0) return new Map();
  const wanted = Array.from(
    { length: reachOf(self.spec.replicas, pods.length) },
    (_, nth) => startOf(self) + nth,
  );
  const there = pods.flatMap((one) => ordinalOf(self, one.pod) ?? []);
  const names = [...new Set([...wanted, ...there])].flatMap((ordinal) => claimsOf(self, ordinal));
  return new Map(
    names.flatMap((name) => {
      const held = view.get(persistentVolumeClaim, self.metadata.namespace, name);
      return held === undefined ? [] : [[name, held] as const];
    }),
  );
}

/**
 * Pods that are in the way of a name: another's, or nobody's and not selected.
 *
 * @param there pods of its own
 */
function inTheWay(view: ClusterView, self: StatefulSet, there: number): readonly PlacedPod[] {
  const { namespace, name, uid } = self.metadata;
  const names = Array.from({ length: reachOf(self.spec.replicas, there) }, (_, nth) =>
    podName(name, startOf(self) + nth),
  );
  const held = names.flatMap((one) => view.get(pod, namespace, one) ?? []);
  return placed(
    view,
    held.filter((one) => controllerOf(one)?.uid !== uid),
  );
}
