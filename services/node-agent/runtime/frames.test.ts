import * as fc from "fast-check";
import { expect, test } from "vitest";
import { framesOf } from "./frames.ts";

test("frames are read however the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 20 })), { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      async (frames, size) => {
        const bytes = Buffer.concat(frames.map(([stream, text]) => framed(stream, text)));
        const got = { stdout: "", stderr: "" };
        for await (const { stream, chunk } of framesOf(cut(bytes, size)))
          got[stream] += Buffer.from(chunk).toString("latin1");
        const wanted = (of: number) =>
          frames
            .filter(([stream]) => stream === of)
            .map(([, text]) => Buffer.from(text).toString("latin1"))
            .join("");
        expect(got).toEqual({ stdout: wanted(1), stderr: wanted(2) });
      },
    ),
  );
});

function framed(stream: number, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

async function* cut(bytes: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
