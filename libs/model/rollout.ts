/** A number of pods, or a percentage of those wanted. */
export type Amount = number | `${number}%`;
export type RolloutBounds = { readonly surge: number; readonly unavailable: number };

/**
 * How many pods a rolling update may have above (`surge`) and below (`unavailable`) `desired`.
 *
 * A percentage of `desired` rounds up for surge and down for unavailable. Both zero would never
 * move; then one pod may be unavailable, since a surge might not fit the cluster.
 *
 * | desired | maxSurge | maxUnavailable | surge | unavailable |
 * |--------:|---------:|---------------:|------:|------------:|
 * |      10 |      25% |            25% |     3 |           2 |
 * |       3 |        0 |            10% |     0 |           1 |
 *
 * @param desired pods, ≥ 0
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function rolloutBounds(
  { maxSurge, maxUnavailable }: { readonly maxSurge: Amount; readonly maxUnavailable: Amount },
  desired: number,
): RolloutBounds {
  const surge = Math.ceil(podsOf(maxSurge, desired));
  const unavailable = Math.floor(podsOf(maxUnavailable, desired));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** An amount as a number of pods, not rounded. */
export function podsOf(amount: Amount, desired: number): number {
  if (typeof amount === "number") return amount;
  return (Number.parseInt(amount, 10) * desired) / 100;
}
