import type { Deployment } from "../../../../libs/model/kinds/deployment.ts";
import type { ReplicaSet } from "../../../../libs/model/kinds/replicaset.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxAnnotation = "deployment.kubernetes.io/max-replicas";

/** What is the Deployment's own and not copied to its sets. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);
type Annotations = Record<string, string>;
type Annotated = { readonly metadata: { readonly annotations?: Annotations | undefined } };

export const revisionOf = ({ metadata }: Annotated): number =>
  numberIn(metadata.annotations, revisionAnnotation) ?? 0;

export const desiredThen = ({ metadata }: Annotated) =>
  numberIn(metadata.annotations, desiredAnnotation);
export const maxThen = ({ metadata }: Annotated) => numberIn(metadata.annotations, maxAnnotation);

/** The number of the new set: one above the old ones', or its own when that is higher. */
export function nextRevision(fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): number {
  const next = Math.max(0, ...old.map(revisionOf)) + 1;
  return Math.max(next, fresh === undefined ? 0 : revisionOf(fresh));
}

/** The annotations of the new set: the Deployment's, and its number; a set that is new again keeps its past ones. */
export function newSetAnnotations(
  self: Deployment,
  fresh: ReplicaSet | undefined,
  revision: number,
): Annotations {
  const copied = Object.entries(self.metadata.annotations ?? {}).filter(
    ([key]) => !ownAnnotations.has(key),
  );
  const before = fresh?.metadata.annotations ?? {};
  const old = fresh === undefined ? 0 : revisionOf(fresh);
  const history = before[historyAnnotation];
  const past = [...(history === undefined ? [] : history.split(",")), String(old)].join(",");
  return {
    ...before,
    ...Object.fromEntries(copied),
    ...(old > 0 && old < revision && { [historyAnnotation]: past }),
    [revisionAnnotation]: String(revision),
  };
}

/** What a set was sized for. */
export const sizeAnnotations = (desired: number, surge: number): Annotations => ({
  [desiredAnnotation]: String(desired),
  [maxAnnotation]: String(desired + surge),
});

/** Old sets beyond the limit, the earliest revision first: those that have no pods left. */
export function expired(
  old: readonly ReplicaSet[],
  livePods: (set: ReplicaSet) => number,
  limit: number,
): readonly ReplicaSet[] {
  const idle = old.filter(
    (set) =>
      set.metadata.deletionTimestamp === undefined &&
      set.spec.replicas === 0 &&
      livePods(set) === 0,
  );
  const excess = Math.max(idle.length - limit, 0);
  return idle.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, excess);
}

function numberIn(annotations: Annotations | undefined, key: string): number | undefined {
  const value = Number.parseInt(annotations?.[key] ?? "", 10);
  return Number.isNaN(value) ? undefined : value;
}
