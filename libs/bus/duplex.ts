/** A stream of the bus as one of Node's, for what speaks only those: sockets, HTTP, TLS. */
import { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ByteStream } from "./bus.ts";
import { chunkMaxBytes } from "./stream.ts";

/** Half-closes as the stream does. Destroying it aborts the stream. */
export function duplexOf(stream: ByteStream): Duplex {
  const chunks = stream.readable[Symbol.asyncIterator]();
  return new Duplex({
    allowHalfOpen: true,
    highWaterMark: chunkMaxBytes,
    read() {
      chunks.next().then(
        ({ done, value }) => void this.push(done === true ? null : value),
        (error: unknown) => void this.destroy(error instanceof Error ? error : undefined),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      void settle(writeAll(stream, chunk), done);
    },
    final(done) {
      void settle(stream.end(), done);
    },
    destroy(error, done) {
      if (!stream.closed.aborted) stream.abort(error?.message ?? "the connection was closed");
      done(error);
    },
  });
}

/** Tells Node's way how it went. Never throws. */
async function settle(work: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await work;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  done(failure);
}

/** Writes a chunk of any size. @throws {StreamBroken} */
export async function writeAll(
  stream: Pick<ByteStream, "write">,
  chunk: Uint8Array,
): Promise<void> {
  for (let at = 0; at < chunk.byteLength; at += chunkMaxBytes) {
    await stream.write(chunk.subarray(at, at + chunkMaxBytes));
  }
}

/**
 * Carries bytes both ways until both sides have ended, each on its own.
 *
 * @throws {Error} when one of them breaks; then both are closed
 */
export async function joinDuplexes(stream: ByteStream, other: Duplex): Promise<void> {
  const duplex = duplexOf(stream);
  try {
    await Promise.all([pipeline(duplex, other), pipeline(other, duplex)]);
  } finally {
    duplex.destroy();
    other.destroy();
  }
}
