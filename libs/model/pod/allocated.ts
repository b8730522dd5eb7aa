/**
 * The size of a pod that waits for room to grow: what counts of it, and what its node gives it, until
 * there is. Its spec says already what is wanted; an annotation, which admission alone writes, keeps
 * what it has.
 */
export const allocatedAnnotation = "berth.dev/allocated";

/** The condition of such a pod, once it was found to have to wait. */
export const resizePending = "PodResizePending";

type Resources = {
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
};
type Container = { readonly name?: string | undefined; readonly resources?: Resources | undefined };
type Spec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | undefined;
};
type Annotated = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
};

/** The annotation of a pod that has what `spec` says, while it is to get something else. */
export const allocationOf = ({ containers, initContainers = [] }: Spec): string =>
  JSON.stringify(
    Object.fromEntries(
      [...initContainers, ...containers].map(({ name = "", resources }) => [name, resources]),
    ),
  );

export const awaitsRoom = ({ metadata }: Annotated): boolean =>
  metadata.annotations?.[allocatedAnnotation] !== undefined;

/** A pod's spec with the resources that it has: what counts of it, and what its node gives it. */
export function allocatedSpec<S extends Spec>({
  metadata,
  spec,
}: Annotated & { readonly spec: S }): S {
  const text = metadata.annotations?.[allocatedAnnotation];
  if (text === undefined) return spec;
  const held = JSON.parse(text) as Readonly<Record<string, Resources>>; // As `allocationOf` wrote it.
  const sized = <C extends Container>(one: C): C => ({
    ...one,
    resources: held[one.name ?? ""] ?? {},
  });
  return {
    ...spec,
    containers: spec.containers.map(sized),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map(sized) }),
  };
}
