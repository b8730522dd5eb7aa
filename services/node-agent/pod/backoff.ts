const firstMs = 10_000;
const longestMs = 300_000;
/** A run this long forgives the failures before it. */
const forgivenMs = 600_000;

/**
 * How long to wait after the `nth` failure in a row (0: the first): at once, 10 s, 20 s … 5 min.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
 */
export const backoffMs = (nth: number): number =>
  nth <= 0 ? 0 : Math.min(firstMs * 2 ** (nth - 1), longestMs);

/** Failures in a row once a container has ended that began with `failures` and ran for `ranMs`. */
export const failuresAfter = (failures: number, ranMs: number): number =>
  ranMs >= forgivenMs ? 0 : failures;
