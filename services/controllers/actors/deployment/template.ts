import type { Deployment } from "../../../../libs/model/kinds/deployment.ts";
import type { ReplicaSet } from "../../../../libs/model/kinds/replicaset.ts";
import { dequal } from "dequal";
import { nameSuffix } from "../workload/stable-hash.ts";

export const hashLabel = "pod-template-hash";
type Template = Deployment["spec"]["template"];

/** The set whose template is the Deployment's; of several the oldest, as Kubernetes picks it. */
export function newSetOf(
  { spec }: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = withoutHash(spec.template);
  return sets
    .filter((set) => dequal(withoutHash(set.spec.template), wanted))
    .toSorted((a, b) => createdMs(a) - createdMs(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .at(0);
}

/**
 * Names the Deployment's template. Two templates of one name would collide: then the Deployment
 * counts the collision, which goes into the hash.
 */
export const templateHash = ({ spec, status }: Deployment): string =>
  nameSuffix([withoutHash(spec.template), status?.collisionCount ?? 0], 10);

/** What the set of the Deployment's template is called, once it is made. */
export const newSetName = (self: Deployment): string =>
  `${self.metadata.name}-${templateHash(self)}`;

export const createdMs = ({ metadata }: ReplicaSet): number =>
  Date.parse(metadata.creationTimestamp ?? "");

export function withHash(template: Template, hash: string): Template {
  const { metadata } = template;
  return {
    ...template,
    metadata: { ...metadata, labels: { ...metadata.labels, [hashLabel]: hash } },
  };
}

function withoutHash(template: Template): Template {
  const { metadata } = template;
  const { [hashLabel]: _hash, ...labels } = metadata.labels ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}
