/**
 * `value` without the members that are `null`: Kubernetes reads those as absent, and clients write
 * them (`creationTimestamp: null`). What holds none is returned as it is; nothing is changed in place.
 */
export function withoutNulls(value: unknown): unknown {
  return holdsNull(value) ? stripped(value) : value;
}

function holdsNull(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsNull);
  const members = value as Readonly<Record<string, unknown>>; // An object is one.
  for (const key in members) if (members[key] === null || holdsNull(members[key])) return true;
  return false;
}

function stripped(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(stripped);
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, stripped(member)] as const));
}
