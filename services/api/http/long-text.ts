/**
 * A text of many parts that are remembered, as a list is of its objects. It becomes bytes a slice at a time,
 * as its reader takes them: whole it would be copied twice, and wait in memory for a reader that is slow.
 */
export type LongText = {
  /** As UTF-8. */
  readonly byteLength: number;
  readonly slices: () => Iterable<Uint8Array>;
  readonly toString: () => string;
};

export const sliceBytes = 256 * 1024;

/** `head`, the items with commas between them, `tail`. */
export function longText(head: string, items: readonly string[], tail: string): LongText {
  const parts = [head, ...items, tail];
  const isFollowed = (nth: number) => nth > 0 && nth < items.length;
  const sizes = parts.map((part, nth) => Buffer.byteLength(part) + (isFollowed(nth) ? 1 : 0));
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);

  function* slices(): Iterable<Uint8Array> {
    // Not of the pool: a reader may keep it for long.
    let slice = Buffer.allocUnsafeSlow(Math.min(sliceBytes, byteLength));
    let used = 0;
    for (const [nth, part] of parts.entries()) {
      const size = sizes[nth] ?? 0;
      if (used + size > slice.byteLength) {
        if (used > 0) yield slice.subarray(0, used);
        slice = Buffer.allocUnsafeSlow(Math.max(sliceBytes, size));
        used = 0;
      }
      used += slice.write(part, used);
      if (isFollowed(nth)) used += slice.write(",", used);
    }
    if (used > 0) yield slice.subarray(0, used);
  }

  return { byteLength, slices, toString: () => `${head}${items.join(",")}${tail}` };
}

/** All of a body at once. */
export const wholeOf = (body: string | Uint8Array | LongText): string | Uint8Array =>
  isLong(body) ? body.toString() : body;

export const isLong = (body: string | Uint8Array | LongText): body is LongText =>
  typeof body === "object" && "slices" in body;
