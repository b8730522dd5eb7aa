/** Kubernetes' alphabet for generated names: no vowels, nothing that looks alike. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A 32-bit FNV-1a of a value's JSON; the order of an object's keys does not matter. */
export function stableHash(value: unknown): number {
  let hash = 0x811c9dc5;
  for (const char of canonical(value)) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash;
}

/** `length` characters that may be part of a name; equal values have equal ones. */
export function nameSuffix(value: unknown, length: number): string {
  let hash = stableHash(value);
  let text = "";
  for (let nth = 0; nth < length; nth += 1) {
    text += alphabet[hash % alphabet.length];
    hash = stableHash([hash, nth]);
  }
  return text;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
