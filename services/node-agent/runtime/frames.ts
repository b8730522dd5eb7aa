import type { Output } from "./runtime.ts";

const headerBytes = 8;

/**
 * The engine's framing of a process without a terminal: a byte that names the stream, three of
 * padding, four of length (big endian), then the bytes. Holds no more than one chunk of the source.
 */
export async function* framesOf(source: AsyncIterable<Uint8Array>): AsyncIterable<Output> {
  let header = Buffer.alloc(0);
  let [left, stream]: [number, Output["stream"]] = [0, "stdout"];
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const part = chunk.subarray(at, at + headerBytes - header.length);
        header = Buffer.concat([header, part]);
        at += part.length;
        if (header.length < headerBytes) break;
        left = header.readUInt32BE(4);
        stream = header[0] === 2 ? "stderr" : "stdout";
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      yield { stream, chunk: part };
    }
  }
}

/** A process with a terminal has one stream, unframed. */
export async function* plainOutput(source: AsyncIterable<Uint8Array>): AsyncIterable<Output> {
  for await (const chunk of source) yield { stream: "stdout", chunk };
}
