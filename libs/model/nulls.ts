/**
 * `value` without the members that are `null`: Kubernetes reads those as absent, and clients write
 * them (`creationTimestamp: null`). What holds none is returned as it is; nothing is changed in place.
 */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  const entries = Object.entries(value);
  const kept = entries
    .filter(([, member]) => member !== null)
    .map(([key, member]) => [key, withoutNulls(member)] as const);
  const same =
    kept.length === entries.length && kept.every(([, member], at) => member === entries[at]?.[1]);
  return same ? value : Object.fromEntries(kept);
}
