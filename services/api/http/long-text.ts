/**
 * A text of many parts that are remembered, as a list is of its objects. It becomes bytes a slice at a time,
 * as its reader takes them: whole it would be copied twice, and wait in memory for a reader that is slow.
 */
export type LongText = {
  /** As UTF-8. */
  readonly byteLength: number;
  readonly slices: () => Iterable<Slice>;
  readonly toString: () => string;
};

export type Slice = {
  readonly bytes: Uint8Array;
  /** The bytes are sent, and may become another slice's. */
  readonly free: () => void;
};

export const sliceBytes = 256 * 1024;

/** To be used again: new ones for every list keep the collector at work. */
const spare: Buffer[] = [];
const spareMax = 64;

const taken = (size: number): Buffer =>
  (size <= sliceBytes ? spare.pop() : undefined) ??
  Buffer.allocUnsafeSlow(Math.max(sliceBytes, size));

const sliceOf = (buffer: Buffer, used: number): Slice => ({
  bytes: buffer.subarray(0, used),
  free() {
    if (buffer.byteLength === sliceBytes && spare.length < spareMax) spare.push(buffer);
  },
});

/** `head`, the items with commas between them, `tail`. */
export function longText(head: string, items: readonly string[], tail: string): LongText {
  const parts = [head, ...items, tail];
  const isFollowed = (nth: number) => nth > 0 && nth < items.length;
  const sizes = parts.map((part, nth) => Buffer.byteLength(part) + (isFollowed(nth) ? 1 : 0));
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);

  function* slices(): Iterable<Slice> {
    let slice = taken(sizes[0] ?? 0);
    let used = 0;
    for (const [nth, part] of parts.entries()) {
      const size = sizes[nth] ?? 0;
      if (used + size > slice.byteLength) {
        yield sliceOf(slice, used);
        slice = taken(size);
        used = 0;
      }
      used += slice.write(part, used);
      if (isFollowed(nth)) used += slice.write(",", used);
    }
    yield sliceOf(slice, used);
  }

  return { byteLength, slices, toString: () => `${head}${items.join(",")}${tail}` };
}

/** All of a body at once. */
export const wholeOf = (body: string | Uint8Array | LongText): string | Uint8Array =>
  isLong(body) ? body.toString() : body;

export const isLong = (body: string | Uint8Array | LongText): body is LongText =>
  typeof body === "object" && "slices" in body;
