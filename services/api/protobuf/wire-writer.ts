/**
 * Protobuf's wire form, written from its end to its beginning: so the length of a message is known
 * before its tag is written, and nothing is measured beforehand or copied.
 */

/** So large a buffer is kept for the next message. */
const keptMaxBytes = 1024 * 1024;
const firstBytes = 64 * 1024;
/** Text up to this is copied here, character by character; longer text by the engine. */
const shortText = 48;

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  /** The first byte that is written. */
  #at = firstBytes;

  /** How many bytes are written: the difference of two is what lies between. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  /**
   * A number that is whole: below 0 as the 64 bits of its complement of two.
   *
   * @throws {RangeError} when 64 bits do not hold it, as of what is infinite
   */
  varint(value: number): void {
    if (value >= 0 && value < 128) {
      this.#reserve(1);
      this.#bytes[(this.#at -= 1)] = value;
      return;
    }
    if (!(Math.abs(value) < 2 ** 64)) throw new RangeError(`no number of 64 bits: ${value}`);
    this.#reserve(10);
    if (value < 0) {
      this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let length = 0;
    for (let rest = value; rest >= 1; rest = Math.floor(rest / 128)) length += 1;
    this.#at -= length;
    let rest = value;
    for (let nth = 0; nth < length; nth += 1) {
      this.#bytes[this.#at + nth] = (rest % 128) | (nth + 1 < length ? 128 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength);
    this.#at -= value.byteLength;
    this.#bytes.set(value, this.#at);
  }

  text(value: string): void {
    if (value.length <= shortText && this.#ascii(value)) return;
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#at -= length;
    this.#bytes.write(value, this.#at, "utf8");
  }

  /** Forgets what was written of a message that came to no end. */
  clear(): void {
    this.#at = this.#bytes.length;
  }

  /** What was written, which is copied; the next message is written anew. */
  finish(): Uint8Array<ArrayBuffer> {
    const written = new Uint8Array(this.#bytes.subarray(this.#at));
    if (this.#bytes.length > keptMaxBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
    this.#at = this.#bytes.length;
    return written;
  }

  /** @returns false, with nothing written, when there is more than ASCII in it */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length);
    const start = this.#at - length;
    for (let nth = 0; nth < length; nth += 1) {
      const code = value.charCodeAt(nth);
      if (code > 127) return false;
      this.#bytes[start + nth] = code;
    }
    this.#at = start;
    return true;
  }

  #bigVarint(value: bigint): void {
    const groups: number[] = [];
    for (let rest = value; rest > 0n; rest >>= 7n) groups.push(Number(rest & 127n));
    this.#at -= groups.length;
    for (const [nth, group] of groups.entries()) {
      this.#bytes[this.#at + nth] = group | (nth + 1 < groups.length ? 128 : 0);
    }
  }

  #reserve(count: number): void {
    if (this.#at >= count) return;
    const { size } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, 2 * (size + count)));
    larger.set(this.#bytes.subarray(this.#at), larger.length - size);
    this.#bytes = larger;
    this.#at = larger.length - size;
  }
}
