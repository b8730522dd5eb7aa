import { type LabelSelector, matchesSelector } from "../../../../libs/model/label-selector.ts";
import { type OwnerReference, update, type Write } from "../../controller.ts";

type Owner = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string | undefined;
  };
};
type Child = {
  metadata: {
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly deletionTimestamp?: string | undefined;
    ownerReferences?: OwnerReference[] | undefined;
  };
};

/** The reference by which an object belongs to its controller. */
export const ownedBy = ({ apiVersion, kind, metadata }: Owner) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export const controllerOf = (child: {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] | undefined };
}): OwnerReference | undefined =>
  child.metadata.ownerReferences?.find(({ controller }) => controller === true);

/**
 * Which of `candidates` belong to `owner`: those that name it and that it selects. What it selects
 * and nobody controls is adopted; what names it and it no longer selects is released. An owner that
 * is being deleted adopts and releases nothing.
 */
export function claims<C extends Child>(
  owner: Owner,
  selector: LabelSelector,
  candidates: readonly C[],
): { readonly owned: readonly C[]; readonly writes: readonly Write<C>[] } {
  const owned: C[] = [];
  const writes: Write<C>[] = [];
  for (const child of candidates) {
    const selected = matchesSelector(selector, child.metadata.labels);
    const references = child.metadata.ownerReferences ?? [];
    const controlled = controllerOf(child);
    if (controlled?.uid === owner.metadata.uid) {
      if (selected || child.metadata.deletionTimestamp !== undefined) owned.push(child);
      else if (owner.metadata.deletionTimestamp === undefined)
        writes.push(
          update(
            withOwners(
              child,
              references.filter((one) => one !== controlled),
            ),
          ),
        );
    } else if (controlled === undefined && selected && isAdoptable(owner, child)) {
      const adopted = withOwners(child, [...references, ownedBy(owner)]);
      owned.push(adopted);
      writes.push(update(adopted));
    }
  }
  return { owned, writes };
}

const isAdoptable = (owner: Owner, child: Child): boolean =>
  owner.metadata.deletionTimestamp === undefined && child.metadata.deletionTimestamp === undefined;

function withOwners<C extends Child>(child: C, ownerReferences: OwnerReference[]): C {
  return { ...child, metadata: { ...child.metadata, ownerReferences } };
}
