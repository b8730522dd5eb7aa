/** The revisions of what makes pods from a template: kept as ControllerRevisions, for undo. */
import { dequal } from "dequal";
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import {
  actorName,
  create,
  type Newborn,
  type ObjectChange,
  remove,
  update,
  type Write,
} from "../../controller.ts";
import {
  controllerRevision,
  type ControllerRevision,
} from "../../../../libs/model/kinds/controllerrevision.ts";
import { type LabelSelector, matchesSelector } from "../../../../libs/model/label-selector.ts";
import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import { claims, controllerOf, ownedBy } from "./claims.ts";
import { nameSuffix } from "./stable-hash.ts";

/** Kubernetes' label of a revision and of the pods that were made at it. */
export const revisionLabel = "controller-revision-hash";
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

type Owner = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly deletionTimestamp?: string | undefined;
  };
  readonly spec: {
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly revisionHistoryLimit: number;
  };
  readonly status?: { readonly collisionCount?: number | undefined } | undefined;
};

export type History = {
  /** Its revisions as they were, the earliest first. */
  readonly all: readonly ControllerRevision[];
  /** The template's revision, which may be about to be created. */
  readonly update: { readonly name: string; readonly hash: string };
  /** Another template has the new revision's name: the next turn hashes with a higher count. */
  readonly collided: boolean;
  readonly writes: readonly Write<ControllerRevision>[];
};

/**
 * Finds or makes the template's revision. One that was there before becomes the newest again: that is
 * what an undo is.
 *
 * @param revisions its own, those that it may adopt, and those that hold a name it may want
 */
export function historyOf(self: Owner, revisions: readonly ControllerRevision[]): History {
  const claimed = claims(self, self.spec.selector, revisions);
  const all = claimed.owned
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted(byRevision);
  const data = dataOf(self.spec.template);
  const found = all.findLast((one) => dequal(one.data, data));
  const writes = new Map(claimed.writes.map((write) => [write.object.metadata.name, write]));
  const newest = all.at(-1);
  if (found !== undefined) {
    const { name } = found.metadata;
    if (found !== newest) {
      writes.set(name, update({ ...found, revision: (newest?.revision ?? 0) + 1 }));
    }
    return {
      all,
      update: { name, hash: hashOf(found) },
      collided: false,
      writes: [...writes.values()],
    };
  }
  const hash = nameSuffix([data, self.status?.collisionCount ?? 0], 10);
  const name = `${self.metadata.name.slice(0, 52)}-${hash}`;
  const collided = revisions.some(({ metadata }) => metadata.name === name);
  const born = newborn(self, { name, hash, revision: (newest?.revision ?? 0) + 1 });
  return {
    all,
    update: { name, hash },
    collided,
    writes: [...writes.values(), ...(collided ? [] : [create(born)])],
  };
}

/** Revisions beyond the limit that no pod is of, the earliest first. */
export function expiredRevisions(
  { all }: History,
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): readonly Write<ControllerRevision>[] {
  const idle = all.filter((one) => !isLive(one));
  return idle.slice(0, Math.max(idle.length - limit, 0)).map((one) => remove(one));
}

/** The template that a revision stands for. */
export function templateAt({ data }: ControllerRevision): PodTemplate | undefined {
  const spec = data?.["spec"] as { readonly template?: PodTemplate } | undefined; // `dataOf` wrote it.
  if (spec?.template === undefined) return undefined;
  const { $patch: _directive, ...template } = spec.template as PodTemplate & {
    readonly $patch: string;
  };
  return template;
}

export const hashOf = ({ metadata }: ControllerRevision): string =>
  metadata.labels?.[revisionLabel] ?? metadata.name.slice(metadata.name.lastIndexOf("-") + 1);

/** A strategic merge patch that brings the template back; `kubectl rollout undo` sends it. */
const dataOf = (template: PodTemplate) => ({
  spec: { template: { ...template, $patch: "replace" } },
});

function newborn(
  self: Owner,
  {
    name,
    hash,
    revision,
  }: { readonly name: string; readonly hash: string; readonly revision: number },
): Newborn {
  const { [lastApplied]: _applied, ...annotations } = self.metadata.annotations ?? {};
  const metadata = {
    name,
    namespace: self.metadata.namespace,
    labels: { ...self.spec.template.metadata.labels, [revisionLabel]: hash },
    annotations, // The change's cause among them, which `kubectl rollout history` shows.
    ownerReferences: [ownedBy(self)],
  };
  const born = { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, revision };
  return { ...born, data: dataOf(self.spec.template) } as Newborn;
}

const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1);

/** What `historyOf` needs to see. */
export function revisionsFor(
  view: ClusterView,
  { metadata, spec }: Owner,
): readonly ControllerRevision[] {
  return view.list(controllerRevision, { namespace: metadata.namespace }).filter((one) => {
    const owner = controllerOf(one);
    const isFree = owner === undefined && matchesSelector(spec.selector, one.metadata.labels);
    return (
      isFree ||
      owner?.uid === metadata.uid ||
      one.metadata.name.startsWith(`${metadata.name.slice(0, 52)}-`)
    );
  });
}

/** A revision that nobody controls concerns everyone who selects it. */
export function* revisionConcerns(
  { after }: ObjectChange,
  all: (namespace: string) => readonly Pick<Owner, "metadata" | "spec">[],
): Iterable<string> {
  if (after?.kind !== "ControllerRevision" || controllerOf(after) !== undefined) return;
  for (const { metadata, spec } of all(after.metadata.namespace ?? "")) {
    if (matchesSelector(spec.selector, after.metadata.labels)) yield actorName(metadata);
  }
}
