/**
 * A digest of the Services and slices that somebody holds: equal keys at equal revisions give equal
 * digests, whatever the order in which they came. Each change costs the same however many are held.
 */
export interface ServiceDigest {
  /** Puts in a key at a revision that is not held, or takes out one that is. */
  toggle(key: string, revision: number): void;
  /** 16 hexadecimal digits. */
  text(): string;
}

export function serviceDigest(): ServiceDigest {
  let [high, low] = [0, 0];
  return {
    toggle(key, revision) {
      const held = `${key}@${revision}`;
      high ^= fnv1a(held, 0x811c9dc5);
      low ^= fnv1a(held, 0x01000193);
    },
    text: () => [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join(""),
  };
}

/** FNV-1a with a final mix, as XOR of plain FNV values of similar texts cancels too easily. */
function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
