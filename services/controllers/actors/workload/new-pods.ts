import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import type { Newborn } from "../../controller.ts";
import { ownedBy } from "./claims.ts";
import { nameSuffix } from "./stable-hash.ts";

type Owner = Parameters<typeof ownedBy>[0] & {
  readonly metadata: {
    readonly namespace?: string | undefined;
    readonly resourceVersion?: string | undefined;
  };
};
export type NewPod = Newborn & {
  readonly metadata: Pick<
    PodTemplate["metadata"],
    "labels" | "annotations" | "finalizers" | "generateName"
  >;
  readonly spec: PodTemplate["spec"];
};

/** A name has 63 characters: a stem of so many, a dash and the suffix. */
const suffixLength = 5;
export const stemMax = 57;

/**
 * Names of the pods that a turn at this revision creates, one for each stem: they follow from the
 * owner's uid, the turn's revision and an index, so a turn that is decided twice creates once (O1).
 *
 * @param taken names that are not free
 */
export function podNames(
  { metadata: { uid, resourceVersion = "" } }: Owner,
  stems: readonly string[],
  taken: ReadonlySet<string>,
): readonly string[] {
  const names = new Set<string>();
  let nth = 0;
  for (const stem of stems) {
    for (let named = false; !named; nth += 1) {
      const suffix = nameSuffix([uid, resourceVersion, nth], suffixLength);
      const candidate = `${stem.slice(0, stemMax)}-${suffix}`;
      named = !taken.has(candidate) && !names.has(candidate);
      if (named) names.add(candidate);
    }
  }
  return [...names];
}

/**
 * A pod that its owner makes from a template. `labels` are added to the template's; its name was made
 * of `stem`, by default the owner's.
 */
export function podFrom(
  owner: Owner,
  { metadata, spec }: PodTemplate,
  {
    name,
    stem = owner.metadata.name,
    labels = {},
  }: {
    readonly name: string;
    readonly stem?: string;
    readonly labels?: Readonly<Record<string, string>>;
  },
): NewPod {
  const { labels: own, annotations, finalizers } = metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      generateName: `${stem}-`,
      labels: { ...own, ...labels },
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [ownedBy(owner)],
    } as NewPod["metadata"], // With owner references, which admission reads.
    spec,
  };
}
