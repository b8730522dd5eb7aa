import {
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  type WriteStream,
} from "node:fs";
import { dirname } from "node:path";

/** A file and its predecessor hold at most twice this. */
const sizeMaxBytes = 16 * 2 ** 20;

/** A log that is kept bounded: when it is full it becomes `<path>.1`, and a new one begins. */
export function logFile(path: string): { write(chunk: Uint8Array): void; close(): void } {
  mkdirSync(dirname(path), { recursive: true });
  let size = existsSync(path) ? statSync(path).size : 0;
  let file = open();
  function open(): WriteStream {
    return createWriteStream(path, { flags: "a" });
  }
  return {
    write(chunk) {
      size += chunk.byteLength;
      if (size > sizeMaxBytes) {
        file.end();
        renameSync(path, `${path}.1`);
        file = open();
        size = chunk.byteLength;
      }
      file.write(chunk);
    },
    close: () => void file.end(),
  };
}
