import { writeFile } from "node:fs/promises";
import type { Log } from "./log.ts";

/**
 * A function that a service calls each time it has done its work anew, so that whoever started it can
 * tell: it touches `file`. One that has grown old is a service that is stuck, or cut off from NATS.
 * Without a file it does nothing.
 */
export function healthMark(file: string | undefined, log: Log): () => void {
  if (file === undefined || file === "") return () => undefined;
  return () => {
    writeFile(file, "").catch((error: unknown) => {
      log.warn({ err: error }, "could not mark the service healthy");
    });
  };
}
