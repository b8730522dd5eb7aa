/** What a pod's containers need together, of whatever is asked of each. */
type Contained = { readonly restartPolicy?: string | undefined };
type Spec<C extends Contained> = {
  readonly containers: readonly C[];
  readonly initContainers?: readonly C[] | undefined;
};

/** How amounts of a kind add up. */
export type Sums<A> = {
  readonly none: A;
  readonly plus: (a: A, b: A) => A;
  /** The larger, resource by resource. */
  readonly most: (a: A, b: A) => A;
};

/**
 * The sum of the containers, or what the init containers need one after another if that is more;
 * those that stay (sidecars) count beside what starts after them.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function effective<C extends Contained, A>(
  { containers, initContainers = [] }: Spec<C>,
  amountOf: (container: C) => A,
  { none, plus, most }: Sums<A>,
): A {
  let staying = none;
  let starting = none;
  for (const container of initContainers) {
    const during = plus(staying, amountOf(container));
    starting = most(starting, during);
    if (container.restartPolicy === "Always") staying = during;
  }
  const running = containers.reduce((sum, one) => plus(sum, amountOf(one)), staying);
  return most(running, starting);
}
