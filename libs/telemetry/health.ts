import { writeFile } from "node:fs/promises";
import type { Log } from "./log.ts";

/**
 * A function that a service calls each time it has done its work anew, so that whoever started it can
 * tell: it touches the file that `BERTH_HEALTH_FILE` names. A file that has grown old is a service
 * that is stuck, or cut off from NATS. Without that variable it does nothing.
 */
export function healthMark(log: Log, env: NodeJS.ProcessEnv = process.env): () => void {
  const file = env["BERTH_HEALTH_FILE"];
  if (file === undefined || file === "") return () => undefined;
  return () => {
    writeFile(file, "").catch((error: unknown) => {
      log.warn({ err: error }, "could not mark the service healthy");
    });
  };
}
