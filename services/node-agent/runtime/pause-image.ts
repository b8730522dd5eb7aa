import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";

/** The image of sandboxes: one static program that sleeps for ever. */
export const pauseImage = "berth/pause:v1";

/** Where the program is loaded, and the size of the headers before its code. */
const base = 0x400000n;
const headerBytes = 64 + 56;

/** Machine code that waits for a signal, again and again, by CPU. */
const code: Readonly<
  Record<string, { readonly machine: number; readonly bytes: readonly number[] }>
> = {
  // mov eax, 34 (pause); syscall; jmp to the start
  x64: { machine: 62, bytes: [0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7] },
  // mov x0..x4 = 0; mov x8, 73 (ppoll); svc 0; b to the start
  arm64: {
    machine: 183,
    bytes: [
      0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x80, 0xd2, 0x02, 0x00, 0x80, 0xd2, 0x03, 0x00, 0x80,
      0xd2, 0x04, 0x00, 0x80, 0xd2, 0x28, 0x09, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4, 0xf9, 0xff,
      0xff, 0x17,
    ],
  },
};

/** Makes it unless it is there: no registry is needed. */
export async function ensurePauseImage(docker: Docker): Promise<string> {
  try {
    await docker.getImage(pauseImage).inspect();
    return pauseImage;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error; // dockerode's errors carry it.
  }
  const archive = pack();
  archive.entry({ name: "pause", mode: 0o755 }, program(process.arch));
  archive.finalize();
  const [repo = "", tag = ""] = pauseImage.split(":");
  const progress = await docker.importImage(archive.pipe(new PassThrough()), {
    repo,
    tag,
    changes: 'ENTRYPOINT ["/pause"]',
  });
  await Array.fromAsync(progress);
  return pauseImage;
}

/** A 64-bit ELF file of one loaded segment. */
function program(arch: string): Buffer {
  const chosen = code[arch];
  if (chosen === undefined) throw new Error(`no sandbox program for ${arch}`);
  const size = BigInt(headerBytes + chosen.bytes.length);
  const head = Buffer.alloc(headerBytes);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(2, 16); // Executable.
  head.writeUInt16LE(chosen.machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(base + BigInt(headerBytes), 24); // Entry.
  head.writeBigUInt64LE(64n, 32); // Program headers.
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64); // PT_LOAD
  head.writeUInt32LE(5, 68); // Readable, executable.
  head.writeBigUInt64LE(base, 80);
  head.writeBigUInt64LE(base, 88);
  head.writeBigUInt64LE(size, 96);
  head.writeBigUInt64LE(size, 104);
  head.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([head, Buffer.from(chosen.bytes)]);
}
